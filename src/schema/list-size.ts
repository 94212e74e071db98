import { InvalidInputError } from '../errors.ts';
import { MAX_PAGE_SIZE } from '../paging/page-range.ts';

export const DEFAULT_LIST_SIZE = 20;

/** The `first` of a list without pagination. @throws InvalidInputError unless it is 0 to 100. */
export function listSize(first: number | null | undefined): number {
  const size = first ?? DEFAULT_LIST_SIZE;
  if (size >= 0 && size <= MAX_PAGE_SIZE) return size;
  throw new InvalidInputError(
    'first',
    size < 0 ? 'TOO_SMALL' : 'TOO_LARGE',
    `first must be from 0 to ${MAX_PAGE_SIZE}; it is ${size}.`,
  );
}
