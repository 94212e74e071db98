import { type GraphQLOutputType, isListType, isNonNullType } from 'graphql';
import { DEFAULT_PAGE_SIZE } from '../edits/history/page-range.ts';

/** Taken for a list that tells no size, such as the pictures of an edit. */
const LIST_SIZE = 4;

/**
 * What a field counts, times what is selected below it: 1, and as often as the page is long. The
 * `edges` of a connection are counted by its field.
 */
export function fieldComplexity(
  { first, last }: Record<string, unknown>,
  _context: object,
  field: { name: string; type: GraphQLOutputType; args: readonly { name: string }[] },
): { field: number; multiplier: number } {
  if (field.args.some(({ name }) => name === 'first')) {
    const size = first ?? last ?? DEFAULT_PAGE_SIZE;
    return { field: 1, multiplier: typeof size === 'number' ? Math.max(0, size) : 1 };
  }
  const isList = isListType(isNonNullType(field.type) ? field.type.ofType : field.type);
  return { field: 1, multiplier: isList && field.name !== 'edges' ? LIST_SIZE : 1 };
}
