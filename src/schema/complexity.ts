import { type GraphQLOutputType, isListType, isNonNullType } from 'graphql';
import { DEFAULT_PAGE_SIZE } from '../paging/page-range.ts';

/** Assumed length of a list without a size argument, such as the images of an edit. */
const LIST_SIZE = 4;

/** Cost of an item of a list argument: each may need a lookup. */
const ITEM_COST = 10;

/** Cost of a search: it may read thousands of prompts. */
const SEARCH_COST = 400;

/** The lists of a connection. */
const ITEMS: readonly string[] = ['edges', 'nodes'];

/** Characters of one string argument that cost 1. */
const TEXT_LENGTH = 100;
/** Fields of one input object that cost 1. */
const FIELDS_LENGTH = 100;

/**
 * The cost of a field and the multiplier of its selection. A field costs 1, SEARCH_COST if it
 * searches, ITEM_COST for each item of its list arguments (nested ones too), and 1 for each TEXT_LENGTH
 * characters of a string in them, because one variable may be used in many places. The multiplier is
 * the page size for a connection, and the length of the list argument for a list of what that argument
 * names. The `edges` and `nodes` of a connection have the multiplier of its field.
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
  const named = Object.values(args).find(Array.isArray);
  if (!isList(field.type) || (ITEMS.includes(field.name) && !named))
    return { field: count, multiplier: 1 };
  return { field: count, multiplier: named?.length ?? LIST_SIZE };
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

/** Costs of objects and lists in variables, which may be used in many places. */
const known = new WeakMap<object, number>();

/** The cost of the lists and strings in coerced arguments, and of objects with very many fields. */
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
