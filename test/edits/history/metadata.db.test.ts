import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { viewerOf } from '../../../src/auth/visible.ts';
import type { Database, Prisma } from '../../../src/database/database.ts';
import { createHistory, type History } from '../../../src/edits/history/history.ts';
import { MAX_VISITED_EDITS, WALKED_ROWS } from '../../../src/edits/history/metadata-search.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';
import { type HistoryRow, historyRow, jobColumns } from '../../support/history-rows.ts';

const VIEWER = viewerOf('local');
const OLDEST_FIRST = { field: 'CREATED_AT', direction: 'ASC' } as const;
/** More than are visited one by one. */
const COMMON = { team: 'print' };
const RARE = { order: 4711 };
/** A few of the newest edits have it, and more soon after. */
const FREQUENT = { stage: 'draft' };
const NESTED = { order: 4711, at: { place: '秋' } };

describe.runIf(hasDatabase)('labels that none of the newest edits has', () => {
  const of = (count: number, given: Partial<HistoryRow>) =>
    Array.from({ length: count }, () => historyRow(given));
  // From the oldest to the newest.
  const rare = of(2, { metadata: NESTED });
  const common = of(MAX_VISITED_EDITS + 100, { metadata: COMMON });
  const failed = of(3, { metadata: COMMON, status: 'FAILED' });
  const foreign = of(2, { metadata: { ...NESTED, ...COMMON }, ownerId: 'somebody-else' });
  const deleted = of(1, { metadata: NESTED, deletedAt: new Date() });
  const frequent = of(20, { metadata: FREQUENT });
  const newest = of(WALKED_ROWS + 100, {});
  const nearest = of(10, { metadata: FREQUENT });
  const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
  let database: TestDatabase;
  let opened: Database;
  let history: History;

  beforeAll(async () => {
    database = await createTestDatabase();
    opened = await database.open();
    history = createHistory({ prisma: opened.prisma });
    await opened.prisma.editJob.createMany({
      data: [rare, common, failed, foreign, deleted, frequent, newest, nearest]
        .flat()
        .map(jobColumns),
    });
  });
  afterAll(async () => {
    await opened?.close();
    await database?.drop();
  });

  test('are found when few have them, in order, both ways', async () => {
    const filter = { metadata: RARE };
    const { rows } = await history.page(VIEWER, { filter }, {});
    expect(ids(rows)).toEqual(ids(rare).reverse());
    const first = await history.page(VIEWER, { filter, order: OLDEST_FIRST }, { first: 1 });
    expect(ids(first.rows)).toEqual(ids(rare.slice(0, 1)));
    expect(first.hasNextPage).toBe(true);
    const last = await history.page(VIEWER, { filter }, { last: 1 });
    expect(ids(last.rows)).toEqual(ids(rare.slice(0, 1)));
    expect(last.hasPreviousPage).toBe(true);
  });

  test('are found by what is nested, and beside another filter', async () => {
    const nested = { filter: { metadata: { at: { place: '秋' } } } };
    expect(ids((await history.page(VIEWER, nested, {})).rows)).toEqual(ids(rare).reverse());
    const rows = async (status: HistoryRow['status']) =>
      (await history.page(VIEWER, { filter: { metadata: NESTED, status: [status] } }, {})).rows;
    expect(ids(await rows('SUCCEEDED'))).toEqual(ids(rare).reverse());
    expect(await rows('FAILED')).toEqual([]);
  });

  test('are found by reading on in order, without the index, when some of the newest have them', async () => {
    const statements: string[] = [];
    const prisma = new Proxy(opened.prisma, {
      get(target, name) {
        if (name !== '$queryRaw') return Reflect.get(target, name);
        return (sql: Prisma.Sql) => {
          statements.push(sql.text);
          return target.$queryRaw(sql);
        };
      },
    });
    const filter = { metadata: FREQUENT };
    const { rows } = await createHistory({ prisma }).page(VIEWER, { filter }, { first: 20 });
    expect(ids(rows)).toEqual(ids([...frequent, ...nearest].reverse().slice(0, 20)));
    expect(statements.filter((text) => text.includes('matching'))).toEqual([]);
    expect(statements.filter((text) => text.includes('walked'))).toHaveLength(2);
  });

  test('are found when many have them, alone and beside another filter', async () => {
    const filter = { metadata: COMMON };
    const all = [...common, ...failed];
    const page = await history.page(VIEWER, { filter }, { first: 4 });
    expect(ids(page.rows)).toEqual(ids(all.slice(-4)).reverse());
    const lists = await Array.fromAsync(history.pages(VIEWER, { filter, order: OLDEST_FIRST }));
    expect(lists.flat()).toEqual(ids(all));
    const query = { filter: { ...filter, status: ['FAILED' as const] } };
    expect(ids((await history.page(VIEWER, query, {})).rows)).toEqual(ids(failed).reverse());
  });

  test.each([
    ['few', { metadata: RARE }, rare.length],
    ['many', { metadata: COMMON }, common.length + failed.length],
    ['many, with another filter', { metadata: COMMON, status: ['FAILED' as const] }, failed.length],
    ['none', { metadata: { order: 'none' } }, 0],
  ])('are counted: %s', async (_, filter, exact) => {
    expect(await history.count(VIEWER, { filter })).toEqual({ exact, estimated: exact });
  });
});
