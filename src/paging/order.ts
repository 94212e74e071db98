export type Direction = 'ASC' | 'DESC';

/** Unknown values count as the smallest. Equal ones are ordered by id, so the order is total. */
export interface Order<Field extends string> {
  readonly field: Field;
  readonly direction: Direction;
}
