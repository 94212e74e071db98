import { checkAll, InvalidInputError } from '../errors.ts';
import { decodeCursor } from './cursor.ts';
import type { Position, SortColumn } from './keyset.ts';
import type { Direction, Order } from './order.ts';

/** The arguments of a Relay connection. */
export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** Up to `size` rows between two positions. */
export interface PageRange {
  readonly size: number;
  /** Whether to read from the end. */
  readonly isBackward: boolean;
  readonly after: Position | null;
  readonly before: Position | null;
}

export const DEFAULT_PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;

/**
 * @throws InvalidInputError for sizes outside 0 to 100, `first` with `last`, or an invalid cursor.
 */
export function pageRange(
  { first = null, last = null, after, before }: PageArgs,
  order: Order<string>,
  column: SortColumn,
): PageRange {
  const checked = checkAll({
    both() {
      if (first === null || last === null) return;
      throw new InvalidInputError(
        'last',
        'INVALID_VALUE',
        'first and last cannot be combined: use first with `after`, or last with `before`.',
      );
    },
    first: () => size('first', first),
    after: () => (after ? decodeCursor('after', after, order, column) : null),
    last: () => size('last', last),
    before: () => (before ? decodeCursor('before', before, order, column) : null),
  });
  return {
    size: checked.first ?? checked.last ?? DEFAULT_PAGE_SIZE,
    isBackward: last !== null || (first === null && !after && Boolean(before)),
    after: checked.after,
    before: checked.before,
  };
}

function size(argument: 'first' | 'last', given: number | null): number | null {
  if (given === null) return null;
  if (given < 0 || given > MAX_PAGE_SIZE) {
    throw new InvalidInputError(
      argument,
      given < 0 ? 'TOO_SMALL' : 'TOO_LARGE',
      `${argument} must be from 0 to ${MAX_PAGE_SIZE}; it is ${given}.`,
    );
  }
  return given;
}

/** How the rows of a range are read: in `direction`, after `after`, before `before`. */
export interface PageReading {
  readonly direction: Direction;
  readonly after: Position | null;
  readonly before: Position | null;
  /** One more than the page has, to detect another page. */
  readonly limit: number;
}

export function toReading(
  { size: most, isBackward, after, before }: PageRange,
  { direction }: Order<string>,
): PageReading {
  const limit = most + 1;
  if (!isBackward) return { direction, after, before, limit };
  return {
    direction: direction === 'ASC' ? 'DESC' : 'ASC',
    after: before,
    before: after,
    limit,
  };
}

export interface Page<Row extends Position = Position> {
  /** In the requested order, whichever end was read. */
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** @param rows in the order they were read, one more than the page size if there are more. */
export function toPage<Row extends Position>(
  { size: most, isBackward, after, before }: PageRange,
  rows: readonly Row[],
): Page<Row> {
  const hasMore = rows.length > most;
  const page = rows.slice(0, most);
  return {
    rows: isBackward ? page.reverse() : page,
    // The row of the cursor existed when the cursor was issued.
    hasNextPage: isBackward ? before !== null : hasMore,
    hasPreviousPage: isBackward ? hasMore : after !== null,
  };
}
