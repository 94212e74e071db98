import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { viewerOf } from '../../../src/auth/visible.ts';
import type { Database } from '../../../src/database/database.ts';
import { EditStatus } from '../../../src/edits/edit-status.ts';
import { createHistory, type History } from '../../../src/edits/history/history.ts';
import type {
  HistoryFilter,
  HistoryOrderField,
  HistoryQuery,
} from '../../../src/edits/history/history-query.ts';
import { encodeCursor } from '../../../src/paging/cursor.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';
import {
  type HistoryRow,
  historyRow,
  imageIdOf,
  insertHistory,
} from '../../support/history-rows.ts';
import { seededRandom } from '../../support/random.ts';

const VIEWER = viewerOf('local');
const START_MS = Date.UTC(2026, 5, 1);
const STATUSES = Object.values(EditStatus);
const MODELS = ['gpt-image-1', 'gpt-image-1.5'];
const PROMPTS = ['make it autumn', 'Make It Winter', '把背景换成秋天', '100% wool_', 'ÄRGER'];

/** Few values, so that many rows are equal; unknown ones among them. */
function randomRows(count: number): HistoryRow[] {
  const random = seededRandom(7);
  const pick = <Item>(items: readonly Item[]): Item =>
    items[Math.floor(random() * items.length)] as Item;
  return Array.from({ length: count }, (_, at) => {
    const createdAt = new Date(START_MS + Math.floor(at / 3) * 60_000);
    const tookMs = pick([null, 1_000, 2_000]);
    return historyRow({
      createdAt,
      status: pick(STATUSES),
      model: pick(MODELS),
      prompt: pick(PROMPTS),
      sandbox: random() < 0.5,
      quality: pick([null, 'low', 'high']),
      upstream: pick([null, 'one', 'two']),
      errorCode: pick([null, 'TIMEOUT', 'SERVER_ERROR']),
      totalTokens: pick([null, 0, 10, 20]),
      costMicroUsd: pick([null, 0n, 5n, 1_000_000n]),
      startedAt: tookMs === null ? null : createdAt,
      finishedAt: tookMs === null ? null : new Date(createdAt.getTime() + tookMs),
      metadata: pick<HistoryRow['metadata']>([{}, { a: 1 }, { a: 1, b: 'x' }, { b: 'y' }]),
      inputs: pick([[], ['in'], ['in', 'other']]),
      outputs: pick([[], ['out']]),
      deletedAt: random() < 0.1 ? new Date() : null,
      ownerId: random() < 0.15 ? 'somebody-else' : 'local',
    });
  });
}

const KEYS: Record<HistoryOrderField, (row: HistoryRow) => number | null> = {
  CREATED_AT: ({ createdAt }) => createdAt.getTime(),
  COST: ({ costMicroUsd }) => (costMicroUsd === null ? null : Number(costMicroUsd)),
  TOTAL_TOKENS: ({ totalTokens }) => totalTokens,
  DURATION: ({ startedAt, finishedAt }) =>
    startedAt && finishedAt ? finishedAt.getTime() - startedAt.getTime() : null,
};

/** The same by other means. */
function expected(rows: readonly HistoryRow[], { filter = {}, search, order }: HistoryQuery) {
  const { field = 'CREATED_AT', direction = 'DESC' } = order ?? {};
  const key = KEYS[field];
  const within = (value: number | null, min?: unknown, max?: unknown) =>
    value !== null &&
    (min === undefined || value >= Number(min)) &&
    (max === undefined || value <= Number(max));
  return rows
    .filter(({ ownerId, deletedAt }) => ownerId === VIEWER.ownerId && deletedAt === null)
    .filter((row) => !search || row.prompt.toLowerCase().includes(search.toLowerCase()))
    .filter((row) => !filter.status || filter.status.includes(row.status))
    .filter((row) => !filter.model || filter.model.includes(row.model))
    .filter((row) => filter.sandbox === undefined || filter.sandbox === row.sandbox)
    .filter((row) => !filter.quality || filter.quality.includes(row.quality ?? ''))
    .filter((row) => !filter.upstream || filter.upstream.includes(row.upstream ?? ''))
    .filter((row) => !filter.errorCode || filter.errorCode.some((code) => code === row.errorCode))
    .filter((row) => filter.hasError === undefined || filter.hasError === (row.errorCode !== null))
    .filter((row) => {
      const { min, max } = filter.totalTokens ?? {};
      return !filter.totalTokens || within(row.totalTokens, min, max);
    })
    .filter((row) => {
      const { min, max } = filter.costMicroUsd ?? {};
      return !filter.costMicroUsd || within(KEYS.COST(row), min, max);
    })
    .filter(({ createdAt }) => {
      const { from, to } = filter.createdAt ?? {};
      return (!from || createdAt >= from) && (!to || createdAt < to);
    })
    .filter(({ metadata }) =>
      Object.entries(filter.metadata ?? {}).every(([name, value]) => metadata[name] === value),
    )
    .filter((row) => !filter.inputImageId || row.inputs.includes('in'))
    .filter((row) => !filter.outputImageId || row.outputs.includes('out'))
    .toSorted((a, b) => {
      const [x, y] = [key(a) ?? Number.NEGATIVE_INFINITY, key(b) ?? Number.NEGATIVE_INFINITY];
      const ascending = x === y ? (a.id < b.id ? -1 : 1) : x - y;
      return direction === 'ASC' ? ascending : -ascending;
    })
    .map(({ id }) => id);
}

// Mostly absent: of all filters at once nothing is left.
const option = <Value>(values: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: values });
const oneOf = <Item>(items: readonly Item[]) => option(fc.subarray([...items]));

const filters: fc.Arbitrary<HistoryFilter> = fc.record({
  status: oneOf(STATUSES),
  model: oneOf(MODELS),
  quality: option(fc.constantFrom(['low'], ['low', 'high'])),
  upstream: option(fc.constantFrom(['one'], ['one', 'two'])),
  sandbox: option(fc.boolean()),
  hasError: option(fc.boolean()),
  errorCode: option(
    fc.constantFrom(['TIMEOUT' as const], ['TIMEOUT' as const, 'SERVER_ERROR' as const]),
  ),
  totalTokens: option(fc.constantFrom({ min: 10 }, { max: 10 }, { min: 1, max: 15 })),
  costMicroUsd: option(fc.constantFrom({ min: 5n }, { max: 0n })),
  createdAt: option(
    fc.constantFrom({ from: new Date(START_MS + 600_000) }, { to: new Date(START_MS + 600_000) }),
  ),
  metadata: option(fc.constantFrom<HistoryRow['metadata'][]>({}, { a: 1 }, { b: 'x' })),
  inputImageId: option(fc.constant(imageIdOf('local', 'in'))),
  outputImageId: option(fc.constant(imageIdOf('local', 'out'))),
});

const queries: fc.Arbitrary<HistoryQuery> = fc.record({
  filter: filters,
  search: fc.constantFrom(
    undefined,
    '',
    'make',
    'MAKE it',
    '秋',
    '背景',
    '%',
    '_',
    'ärg',
    'nothing',
  ),
  order: fc.record({
    field: fc.constantFrom<HistoryOrderField>('CREATED_AT', 'COST', 'TOTAL_TOKENS', 'DURATION'),
    direction: fc.constantFrom('ASC' as const, 'DESC' as const),
  }),
});

describe.runIf(hasDatabase)('pages of the history', () => {
  const rows = randomRows(90);
  let database: TestDatabase;
  let opened: Database;
  let history: History;

  beforeAll(async () => {
    database = await createTestDatabase();
    opened = await database.open();
    history = createHistory({ prisma: opened.prisma });
    await insertHistory(opened.prisma, rows);
  });
  afterAll(async () => {
    await opened?.close();
    await database?.drop();
  });

  async function through(query: HistoryQuery, size: number, isBackward: boolean) {
    const order = query.order ?? { field: 'CREATED_AT' as const, direction: 'DESC' as const };
    const ids: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await history.page(
        VIEWER,
        query,
        isBackward ? { last: size, before: cursor } : { first: size, after: cursor },
      );
      const found = page.rows.map(({ id }) => id);
      if (isBackward) ids.unshift(...found);
      else ids.push(...found);
      const next = isBackward ? page.rows.at(0) : page.rows.at(-1);
      if (!(isBackward ? page.hasPreviousPage : page.hasNextPage) || next === undefined) return ids;
      cursor = encodeCursor(order, next);
    }
  }

  test('give exactly what is asked for, in order, each once, whatever the order, the direction and the size', async () => {
    await fc.assert(
      fc.asyncProperty(
        queries,
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        async (query, size, isBackward) => {
          expect(await through(query, size, isBackward)).toEqual(expected(rows, query));
        },
      ),
      { numRuns: 120 },
    );
  });

  test('between two cursors hold what lies between them', async () => {
    for (const direction of ['ASC', 'DESC'] as const) {
      const order = { field: 'COST', direction } as const;
      const all = (await history.page(VIEWER, { order }, { first: 100 })).rows;
      const at = (index: number) => encodeCursor(order, all[index] ?? { key: null, id: '' });
      for (const [from, to] of [
        [0, 9],
        [20, 40],
        [5, all.length - 1],
      ] as const) {
        const args = { after: at(from), before: at(to) };
        const between = all.slice(from + 1, to);
        expect((await history.page(VIEWER, { order }, { first: 100, ...args })).rows).toEqual(
          between,
        );
        expect((await history.page(VIEWER, { order }, { last: 3, ...args })).rows).toEqual(
          between.slice(-3),
        );
      }
    }
  });

  test('all of them at once are what the pages hold', async () => {
    const query = { search: 'make', order: { field: 'COST', direction: 'ASC' } } as const;
    const lists = await Array.fromAsync(history.pages(VIEWER, query));
    expect(lists.flat()).toEqual(expected(rows, query));
  });

  test('are counted as they are filtered and searched', async () => {
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        const count = expected(rows, query).length;
        expect(await history.count(VIEWER, query)).toEqual({ exact: count, estimated: count });
      }),
      { numRuns: 40 },
    );
  });
});
