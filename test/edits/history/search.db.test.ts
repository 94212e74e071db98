import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { viewerOf } from '../../../src/auth/visible.ts';
import type { Database } from '../../../src/database/database.ts';
import { usesOf } from '../../../src/edits/history/estimate.ts';
import { createHistory, type History } from '../../../src/edits/history/history.ts';
import { findPrompts, searchTerm, WALKED_ROWS } from '../../../src/edits/history/prompt-search.ts';
import { createPrompts, type Prompts } from '../../../src/edits/prompts/prompts.ts';
import { foldForSearch, searchGrams } from '../../../src/edits/prompts/search-text.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';
import { historyRow, insertHistory, jobColumns } from '../../support/history-rows.ts';

const VIEWER = viewerOf('local');
const LAST_USE = { field: 'LAST_USE', direction: 'DESC' } as const;
const TEXTS = {
  english: 'Make the Lighthouse glow',
  chinese: '把背景换成麒麟',
  japanese: '背景をぼかす',
  russian: 'Добавь Мягкий Свет',
  german: 'die GROSSE Straße',
  greek: 'ο δρόμος ΟΔΟΣ',
  arabic: 'اجعل السماء زرقاء',
  emoji: 'add 👩‍👩‍👧 and 🌄',
  percent: '100% wool, snake_case',
  wide: 'ＡＢＣ full width',
} as const;
type Name = keyof typeof TEXTS;

describe.runIf(hasDatabase)('a search over prompts', () => {
  let database: TestDatabase;
  let opened: Database;
  let history: History;
  let prompts: Prompts;
  const nameOf = new Map<string, Name>();

  beforeAll(async () => {
    database = await createTestDatabase();
    opened = await database.open();
    const { prisma } = opened;
    history = createHistory({ prisma });
    prompts = createPrompts({ prisma });
    const rows = Object.entries(TEXTS).map(([name, prompt]) => {
      const row = historyRow({ prompt });
      nameOf.set(row.id, name as Name);
      return row;
    });
    const foreign = historyRow({ ownerId: 'somebody-else', prompt: 'their secret lighthouse' });
    await insertHistory(prisma, [...rows, foreign]);
  });
  afterAll(async () => {
    await opened?.close();
    await database?.drop();
  });

  async function found(search: string): Promise<(Name | undefined)[]> {
    const { rows } = await history.page(VIEWER, { search }, { first: 100 });
    return rows.map(({ id }) => nameOf.get(id)).sort();
  }

  test.each<[string, Name[]]>([
    ['lighthouse', ['english']],
    ['LIGHTHOUSE', ['english']],
    ['the lighthouse glow', ['english']],
    ['麒麟', ['chinese']],
    ['背景', ['chinese', 'japanese']],
    ['换', ['chinese']],
    ['ぼかす', ['japanese']],
    ['мягкий свет', ['russian']],
    ['strasse', ['german']],
    ['straße', ['german']],
    ['grosse', ['german']],
    ['οδος', ['greek']],
    ['السماء', ['arabic']],
    ['👩‍👩‍👧', ['emoji']],
    ['🌄', ['emoji']],
    ['%', ['percent']],
    ['0% w', ['percent']],
    ['_', ['percent']],
    ['e_c', ['percent']],
    ['s__', []],
    ['abc', ['wide']],
    ['\\', []],
    ["'", []],
    ['secret', []],
    ['lighthouse glows', []],
  ])('finds %j where it stands, and nowhere else', async (search, names) => {
    expect(await found(search)).toEqual(names);
  });

  test('for nothing finds everything', async () => {
    expect(await found('')).toHaveLength(Object.keys(TEXTS).length);
  });

  test('finds the prompts themselves likewise, and no foreign ones', async () => {
    const texts = async (search: string) => {
      const { rows } = await prompts.page(VIEWER, { search, order: LAST_USE }, {});
      const ids = rows.map(({ id }) => id);
      return (await opened.prisma.prompt.findMany({ where: { id: { in: ids } } })).map(
        ({ text }) => text,
      );
    };
    expect(await texts('背景')).toHaveLength(2);
    expect(await texts('LIGHTHOUSE')).toEqual([TEXTS.english]);
    expect(await texts('secret')).toEqual([]);
  });

  test('finds nothing of an owner whose id has the same hash', async () => {
    // Both ids begin with the same 32 bits of SHA-256.
    const [one, other] = ['user-20491', 'user-32057'].map(viewerOf);
    await insertHistory(opened.prisma, [
      historyRow({ ownerId: 'user-20491', prompt: 'a confidential zeppelin' }),
      historyRow({ ownerId: 'user-20491', prompt: 'another zeppelin' }),
    ]);
    expect(searchGrams('user-20491', 'abc')).toEqual(searchGrams('user-32057', 'abc'));
    const seenBy = async (viewer = VIEWER) => ({
      page: await history.page(viewer, { search: 'zeppelin' }, { first: 1 }),
      count: await history.count(viewer, { search: 'zeppelin' }),
      prompts: await prompts.page(viewer, { search: 'zeppelin', order: LAST_USE }, {}),
    });
    expect(await seenBy(one)).toMatchObject({
      page: { rows: [{}], hasNextPage: true },
      count: { exact: 2, estimated: 2 },
    });
    const term = searchTerm(other ?? VIEWER, 'zeppelin');
    if (term === null) throw new Error('no term');
    expect(await findPrompts(opened.prisma, term)).toEqual({ kind: 'few', ids: [] });
    // What an estimated count adds up.
    expect(await opened.prisma.$queryRaw(usesOf(term))).toEqual([{ count: 0n }]);
    expect(await seenBy(other)).toMatchObject({
      page: { rows: [], hasNextPage: false },
      count: { exact: 0, estimated: 0 },
      prompts: { rows: [], hasNextPage: false },
    });
  });

  test('looks again at what the index finds: equal sequences are not yet the term', async () => {
    // All its sequences of three are there, in another order.
    await insertHistory(opened.prisma, [historyRow({ prompt: 'abcd bcde' })]);
    expect(await found('abcde')).toEqual([]);
  });

  test('refuses a term of more than 1,000 characters', async () => {
    await expect(history.page(VIEWER, { search: 'x'.repeat(1_001) }, {})).rejects.toThrow(
      'search may have at most 1000 characters',
    );
  });

  test('finds what only old edits have, however many newer ones there are', async () => {
    const ownerId = 'busy';
    const { prisma } = opened;
    const old = historyRow({ ownerId, prompt: 'an old daguerreotype' });
    await insertHistory(prisma, [old]);
    await insertMany(ownerId, WALKED_ROWS + 500);
    const viewer = viewerOf(ownerId);
    const only = { rows: [expect.objectContaining({ id: old.id })] };
    expect(await history.page(viewer, { search: 'DAGUERRE' }, {})).toMatchObject(only);
    expect(await history.count(viewer, { search: 'daguerre' })).toMatchObject({ exact: 1 });
    // More prompts than can be visited one by one, all of them old.
    const order = { field: 'CREATED_AT', direction: 'ASC' } as const;
    const oldest = await history.page(viewer, { search: 'new', order }, { first: 2 });
    const newest = await history.page(viewer, { search: 'newer 3', order }, { last: 2 });
    expect(oldest.rows).toHaveLength(2);
    expect(oldest.hasNextPage).toBe(true);
    expect(newest.rows).toHaveLength(2);
    expect(await history.count(viewer, { search: 'newer' })).toMatchObject({
      exact: WALKED_ROWS + 500,
    });
    const all = (await Array.fromAsync(history.pages(viewer, { search: 'newer' }))).flat();
    expect(new Set(all).size).toBe(WALKED_ROWS + 500);
    expect(all).toHaveLength(WALKED_ROWS + 500);
  });

  /** As many edits, each with a prompt of its own. */
  async function insertMany(ownerId: string, count: number): Promise<void> {
    const { prisma } = opened;
    const rows = Array.from({ length: count }, (_, at) => {
      const prompt = `newer ${at}`;
      const row = historyRow({ ownerId });
      return { row, prompt, promptId: row.id, folded: foldForSearch(prompt) };
    });
    await prisma.prompt.createMany({
      data: rows.map(({ prompt: text, promptId: id }, at) => ({
        id,
        ownerId,
        text,
        sha256: String(at).padStart(64, '0'),
      })),
    });
    await prisma.promptSearch.createMany({
      data: rows.map(({ promptId, folded: text }) => ({
        promptId,
        ownerId,
        text,
        grams: searchGrams(ownerId, text),
      })),
    });
    await prisma.editJob.createMany({
      data: rows.map(({ row, promptId }) => ({ ...jobColumns(row), promptId })),
    });
  }
});
