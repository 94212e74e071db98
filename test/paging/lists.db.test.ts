import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, Prisma } from '../../src/database/database.ts';
import { MAX_COUNTED } from '../../src/paging/count.ts';
import { encodeCursor } from '../../src/paging/cursor.ts';
import { byId, createLists, type Lists } from '../../src/paging/lists.ts';
import type { PageArgs } from '../../src/paging/page-range.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';

const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const ID = Prisma.sql`('00000000-0000-7000-8000-' || lpad(item.n::text, 12, '0'))::uuid`;

/** The object with the id n has the items 1 to n, each twice. */
const source = (direction: 'ASC' | 'DESC') => ({
  ...byId(ID, direction),
  hasDuplicates: true,
  rows: (of: Prisma.Sql) => Prisma.sql`generate_series(1, right(${of}::text, 12)::int) AS item(n)
    CROSS JOIN generate_series(1, 2) WHERE TRUE`,
});

describe.runIf(hasDatabase)('the lists of many objects', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let lists: Lists;
  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    lists = createLists({ prisma: database.prisma, source: source('ASC') });
  });
  afterAll(async () => {
    await database?.close();
    await testDatabase?.drop();
  });

  async function pages(of: readonly number[], args: PageArgs, from: Lists = lists) {
    const found = await from.pages(of.map(uuid), from.range(args));
    return found.map(({ rows, ...more }) => ({
      items: rows.map(({ id }) => Number(id.slice(-12))),
      ...more,
    }));
  }
  const cursorOf = (item: number) => encodeCursor(lists.order, { key: uuid(item), id: uuid(item) });

  test('have the same page each, in the order of the objects, without duplicates', async () => {
    expect(await pages([4, 0, 2], { first: 3 })).toEqual([
      { items: [1, 2, 3], hasNextPage: true, hasPreviousPage: false },
      { items: [], hasNextPage: false, hasPreviousPage: false },
      { items: [1, 2], hasNextPage: false, hasPreviousPage: false },
    ]);
  });

  test('have pages after and before a cursor, from either end and in either order', async () => {
    const [after, before] = [cursorOf(3), cursorOf(5)];
    expect(await pages([7], { first: 2, after })).toMatchObject([{ items: [4, 5] }]);
    expect(await pages([7], { last: 2, before })).toMatchObject([
      { items: [3, 4], hasNextPage: true, hasPreviousPage: true },
    ]);
    expect(await pages([7], { last: 2 })).toMatchObject([{ items: [6, 7] }]);
    expect(await pages([7], { after, before })).toMatchObject([{ items: [4] }]);
    const newestFirst = createLists({ prisma: database.prisma, source: source('DESC') });
    expect(await pages([7, 1], { first: 2 }, newestFirst)).toMatchObject([
      { items: [7, 6] },
      { items: [1] },
    ]);
  });

  test('are counted up to a limit, and estimated beyond it', async () => {
    const counts = await lists.counts([3, 0, MAX_COUNTED, MAX_COUNTED + 1].map(uuid));
    expect(counts).toEqual([
      { exact: 3, estimated: 3 },
      { exact: 0, estimated: 0 },
      { exact: MAX_COUNTED, estimated: MAX_COUNTED },
      { exact: null, estimated: expect.any(Number) },
    ]);
    expect(counts[3]?.estimated).toBeGreaterThan(MAX_COUNTED);
  });
});
