import { expect, test } from 'vitest';
import { viewerOf } from '../../../src/auth/visible.ts';
import { Prisma, type PrismaClient } from '../../../src/database/database.ts';

import { createHistory, type History } from '../../../src/edits/history/history.ts';
import { MAX_COUNTED } from '../../../src/paging/count.ts';
import { encodeCursor } from '../../../src/paging/cursor.ts';

const VIEWER = viewerOf('local');
const ID = '01890000-0000-7000-8000-000000000000';
const NEWEST = { field: 'CREATED_AT', direction: 'DESC' } as const;
const COST = { field: 'COST', direction: 'DESC' } as const;
const DATE = '2026-01-01 00:00:00+00';

/** More than are visited one by one. */
const MANY = 2_001;

interface Answers {
  /** Prompts that the index of a search finds. */
  readonly prompts?: number;
  readonly count?: number;
}

/** A request to the history, and what the database answers to its first statements. */
const REQUESTS: Record<string, [(history: History) => Promise<unknown>, Answers?]> = {
  'the first page, newest first': [(history) => history.page(VIEWER, {}, {})],
  'the page after a cursor': [
    (history) => history.page(VIEWER, {}, { after: encodeCursor(NEWEST, { key: DATE, id: ID }) }),
  ],
  'the last rows between two cursors': [
    (history) => {
      const after = encodeCursor(NEWEST, { key: DATE, id: ID });
      return history.page(VIEWER, {}, { after, before: after, last: 10 });
    },
  ],
  'by cost, after an edit of known cost': [
    (history) => {
      const after = encodeCursor(COST, { key: '5', id: ID });
      return history.page(VIEWER, { order: COST }, { after });
    },
  ],
  'by cost, after an edit of unknown cost': [
    (history) => {
      const after = encodeCursor(COST, { key: null, id: ID });
      return history.page(VIEWER, { order: COST }, { after });
    },
  ],
  'every filter but the metadata': [
    (history) => {
      const range = { from: new Date(0), to: new Date(1) };
      const filter = {
        status: ['FAILED', 'CANCELED'] as const,
        model: ['one'],
        size: ['auto'],
        quality: ['low'],
        upstream: ['default'],
        sandbox: false,
        createdAt: range,
        finishedAt: range,
        totalTokens: { min: 1, max: 2 },
        costMicroUsd: { min: 1n, max: 2n },
        errorCode: ['TIMEOUT'] as const,
        hasError: true,
        promptId: ID,
        inputImageId: ID,
        outputImageId: ID,
      };
      return history.page(VIEWER, { filter }, {});
    },
  ],
  'metadata that few of the newest edits have': [
    (history) => history.page(VIEWER, { filter: { metadata: { a: 1 }, model: ['one'] } }, {}),
  ],
  'a search that finds few prompts': [
    (history) => history.page(VIEWER, { search: 'term' }, {}),
    { prompts: 2 },
  ],
  'a search that finds many prompts': [
    (history) => history.page(VIEWER, { search: 'term' }, {}),
    { prompts: MANY },
  ],
  'a count': [(history) => history.count(VIEWER, { filter: { model: ['one'] } })],
  'a count by metadata': [(history) => history.count(VIEWER, { filter: { metadata: { a: 1 } } })],
  'a count of a search that finds few prompts': [
    (history) => history.count(VIEWER, { search: 'term' }),
    { prompts: 2 },
  ],
  'an estimate of a search and a filter': [
    (history) => history.count(VIEWER, { search: 'term', filter: { model: ['one'] } }),
    { prompts: MANY, count: MAX_COUNTED + 1 },
  ],
  'whether an edit matches a filter': [
    (history) => history.matches(VIEWER, { model: ['one'] }, ID),
  ],
};

test('the statements of the history are those in statements.sql, where reviewers read them', async () => {
  const sections: string[] = [
    '-- The statements of the history, as src/edits/history composes them. Written by\n-- `npx vitest run --project unit test/edits/history/statements.test.ts -u`; the test fails if they differ.\n',
  ];
  for (const [name, [request, answers = {}]] of Object.entries(REQUESTS)) {
    const { prisma, statements } = recordStatements(answers);
    await request(createHistory({ prisma }));
    sections.push(`-- ${name}\n`, ...statements.map((text) => `${format(text)};\n`));
  }
  await expect(sections.join('\n')).toMatchFileSnapshot('statements.sql');
});

/** A database that has no edits, but as many prompts and as high a count as asked for. */
function recordStatements({ prompts = 0, count = 0 }: Answers) {
  const statements: string[] = [];
  const prisma = {
    async $queryRaw(query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]) {
      const { text } = 'text' in query ? query : Prisma.sql(query, ...values);
      statements.push(text);
      if (text.includes('EXPLAIN')) return [{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': 1 } }] }];
      if (/^\s*SELECT id FROM \(SELECT "promptsWith"/.test(text)) {
        return Array.from({ length: prompts }, () => ({ id: ID }));
      }
      return /^\s*SELECT (count|coalesce)\(/.test(text) ? [{ count, matching: 0n }] : [];
    },
  } as unknown as PrismaClient;
  return { prisma, statements };
}

/** One clause on each line, indented by its parentheses. */
function format(text: string): string {
  const lines = text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(' ,', ',')
    .replaceAll('( ', '(')
    .trim()
    .split(
      / (?=(?:FROM|WHERE|AND|ORDER BY|LIMIT|OFFSET|UNION ALL|(?<!CROSS )JOIN|CROSS JOIN|THEN)\b)|(?<=\() ?(?=SELECT\b)/,
    );
  let depth = 0;
  return lines
    .map((line) => {
      const indented = '  '.repeat(depth) + line;
      depth += count(line, '(') - count(line, ')');
      return indented;
    })
    .join('\n');
}

const count = (line: string, character: string) => line.split(character).length - 1;
