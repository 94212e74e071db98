import { type GraphQLOutputType, isListType, isNonNullType } from 'graphql';
import { DEFAULT_PAGE_SIZE } from '../edits/history/page-range.ts';

/** Taken for a list that tells no size, such as the pictures of an edit. */
const LIST_SIZE = 4;

/** What an item of a list argument counts: each may be looked up. */
const ITEM_COST = 10;

/** What a search counts: it may look at thousands of prompts. */
const SEARCH_COST = 400;

/** So many characters of one text in the arguments count 1. */
const TEXT_LENGTH = 100;
/** So many fields of one object, too. */
const FIELDS_LENGTH = 100;

/**
 * What a field counts, times what is selected below it. A field counts 1, SEARCH_COST if it searches,
 * ITEM_COST for each item of its list arguments, also of those inside input objects, and 1 for each
 * TEXT_LENGTH characters of a text in them: one variable may stand in many places. Below a page it is multiplied by the page's
 * length, and below a list of what a list argument names by that argument's length. The `edges` of a
 * connection are counted by its field.
 */
export function fieldComplexity(
  args: Record<string, unknown>,
  _context: object,
  field: { name: string; type: GraphQLOutputType; args: readonly { name: string }[] },
): { field: number; multiplier: number } {
  const count = 1 + costOfArguments(args) + (args['search'] ? SEARCH_COST : 0);
  if (field.args.some(({ name }) => name === 'first')) {
    const size = args['first'] ?? args['last'] ?? DEFAULT_PAGE_SIZE;
    return { field: count, multiplier: typeof size === 'number' ? Math.max(0, size) : 1 };
  }
  if (!isList(field.type) || field.name === 'edges') return { field: count, multiplier: 1 };
  const named = Object.values(args).find(Array.isArray);
  return { field: count, multiplier: named?.length ?? LIST_SIZE };
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

/** Of objects and lists in variables, which may stand in many places. */
const known = new WeakMap<object, number>();

/** What the lists and texts in coerced arguments count, and objects of very many fields. */
export function costOfArguments(value: unknown): number {
  if (typeof value === 'string') return Math.floor(value.length / TEXT_LENGTH);
  if (typeof value !== 'object' || value === null) return 0;
  const before = known.get(value);
  if (before !== undefined) return before;
  const parts: unknown[] = Object.values(value);
  const below = parts.reduce<number>((sum, part) => sum + costOfArguments(part), 0);
  const own = Array.isArray(value) ? parts.length * ITEM_COST : parts.length / FIELDS_LENGTH;
  const cost = below + Math.floor(own);
  known.set(value, cost);
  return cost;
}
