import { expect, test } from 'vitest';
import { SORT_COLUMNS } from '../../src/edits/history/history-sql.ts';
import { decodeCursor, encodeCursor } from '../../src/paging/cursor.ts';
import { pageRange } from '../../src/paging/page-range.ts';

const BY_COST = { field: 'COST', direction: 'DESC' } as const;
const ID = '01a205a7-0f22-7380-b842-5317ba207d91';
const decode = (cursor: string, order: typeof BY_COST = BY_COST) =>
  decodeCursor('after', cursor, order, SORT_COLUMNS.COST);
const raw = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each(['42', '-1', null])('a cursor comes back as it was: %s', (key) => {
  expect(decode(encodeCursor(BY_COST, { key, id: ID }))).toEqual({ key, id: ID });
});

test('rejects a cursor of another order or direction, and names both', () => {
  const cursor = encodeCursor({ field: 'DURATION', direction: 'ASC' }, { key: '1', id: ID });
  expect(() => decode(cursor)).toThrow(
    'after is a cursor for the order DURATION ASC, not for COST DESC',
  );
});

test.each([
  '',
  'nonsense',
  'x'.repeat(10_000),
  raw(null),
  raw({}),
  raw([2, 'COST', 'DESC', '1', ID]),
  raw([1, 'COST', 'DESC', 1, ID]),
  raw([1, 'COST', 'DESC', '1; DROP TABLE "EditJob"', ID]),
  raw([1, 'COST', 'DESC', '1', 'no uuid']),
  Buffer.from('GPC:S:01a205a7').toString('base64'),
])('rejects an invalid cursor: %s', (cursor) => {
  expect(() => decode(cursor)).toThrow('after is not a valid cursor');
});

test('rejects a cursor of an unknown value where the order has none', () => {
  const order = { field: 'CREATED_AT', direction: 'DESC' } as const;
  const cursor = encodeCursor(order, { key: null, id: ID });
  expect(() => decodeCursor('before', cursor, order, SORT_COLUMNS.CREATED_AT)).toThrow(
    'before is not a valid cursor',
  );
});

test.each([
  [{ first: 101 }, 'first must be from 0 to 100; it is 101.'],
  [{ first: -1 }, 'first must be from 0 to 100; it is -1.'],
  [{ last: 101 }, 'last must be from 0 to 100; it is 101.'],
  [{ first: 1, last: 1 }, 'first and last cannot be combined'],
])('rejects an impossible page: %j', (args, message) => {
  expect(() => pageRange(args, BY_COST, SORT_COLUMNS.COST)).toThrow(message);
});
