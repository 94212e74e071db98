import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../../../src');
const ENDS = 'edits/end/';
const GENERATED = 'database/generated/';

/** Writes of EditJob in one file that set a final status, or of which that cannot be excluded. */
function finalWritesIn(source: string): string[] {
  return [...prismaWrites(source), ...nestedWrites(source), ...sqlWrites(source)];
}

/** `prisma.editJob.update(…)` and the like. Their data must be spelled out, and set no final status. */
function prismaWrites(source: string): string[] {
  const calls = source.matchAll(/\beditJob\s*\.\s*(update|create|upsert)\w*\s*\(/g);
  return [...calls].flatMap((call) => {
    const text = balanced(source, call.index + call[0].length - 1);
    const isOpaque = call[1] !== 'create' && !/\b(data|update):\s*\{/.test(text);
    const data = text.replace(/\bwhere:\s*\{[^{}]*\}/g, '');
    const hasSpread = call[1] !== 'create' && data.includes('...');
    return isOpaque || hasSpread || setsFinal(data) ? [`${call[0]}${text}`] : [];
  });
}

/** `jobs: { update: … }` in a write of another table. */
function nestedWrites(source: string): string[] {
  return source.match(/\b(job|jobs|retries|retryOf):\s*\{\s*(update|create|upsert)\w*:/g) ?? [];
}

function sqlWrites(source: string): string[] {
  const statements =
    source.match(/(UPDATE|INSERT INTO|MERGE INTO)\s+(ONLY\s+)?"EditJob"[^`;]*/gi) ?? [];
  return statements.filter((statement) => {
    const [assignments = ''] = statement.split(/\bWHERE\b/i);
    const others = assignments.replace(/"?status"?\s*=\s*'(QUEUED|RUNNING)'/g, '');
    return /(?<![.\w])"?status"?\s*(=|,|\))/.test(others);
  });
}

/** Any status but the two that are not final, or a variable. */
function setsFinal(data: string): boolean {
  return /\bstatus\b(?!:\s*'(QUEUED|RUNNING)')/.test(data);
}

/** The text from an opening parenthesis to the closing one. */
function balanced(source: string, start: number): string {
  let depth = 0;
  for (let end = start; end < source.length; end += 1) {
    if (source[end] === '(') depth += 1;
    if (source[end] === ')') depth -= 1;
    if (depth === 0) return source.slice(start + 1, end);
  }
  return source.slice(start);
}

test('only src/edits/end writes a final status of an edit', async () => {
  const found: Record<string, string[]> = {};
  let endsThere = 0;
  for await (const file of glob('**/*.{ts,tsx}', { cwd: SRC })) {
    if (file.startsWith(GENERATED)) continue;
    const writes = finalWritesIn(readFileSync(join(SRC, file), 'utf8'));
    if (file.startsWith(ENDS)) endsThere += writes.length;
    else if (writes.length > 0) found[file] = writes;
  }
  expect(found).toEqual({});
  expect(endsThere).toBeGreaterThan(0);
});

test.each([
  `tx.editJob.update({ where: { id }, data: { status: 'FAILED' } })`,
  `tx.editJob.updateMany({ where: { id, status: 'RUNNING' }, data: { status } })`,
  `tx.editJob.updateMany({ where: { id, status: 'RUNNING' }, data: { ...columns } })`,
  `tx.editJob.updateManyAndReturn({ where: { id }, data })`,
  `tx.editJob.create({ data: { id, status: EditStatus.SUCCEEDED } })`,
  `tx.prompt.update({ where, data: { jobs: { updateMany: { where: {}, data } } } })`,
  'tx.$executeRaw`UPDATE "EditJob" SET "finishedAt" = now(), status = $1 WHERE id = $2`',
])('a write is found: %s', (source) => {
  expect(finalWritesIn(source)).toHaveLength(1);
});

test.each([
  `tx.editJob.updateMany({ where: { id, status: 'QUEUED' }, data: { status: 'RUNNING', startedAt } })`,
  'tx.$executeRaw`UPDATE "EditJob" SET "deletedAt" = now() WHERE status = $1`',
])('a write of no final status is permitted: %s', (source) => {
  expect(finalWritesIn(source)).toEqual([]);
});
