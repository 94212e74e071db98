import { createHash } from 'node:crypto';
import { foldForSearch, searchGrams } from '../../src/edits/prompts/search-text.ts';
import { encodeGlobalId } from '../../src/public-ids/global-id.ts';
import { FILL_STEPS, HELPERS } from './fill-sql.ts';
import { promptAt } from './prompts.ts';

/** Runs one statement. */
export type Run = (sql: string, values?: readonly unknown[]) => Promise<readonly object[]>;

const OWNERS = 10;

/** Edits of an owner that follow each other; each tenth such group is one tree. */
const TREE = 50;

/** The global id of an edit half way down the history, in a tree of 50. */
export function treeMember(jobs: number): string {
  const group = Math.floor(jobs / OWNERS / 2 / (TREE * 10)) * TREE * 10;
  const n = (group + TREE / 2) * OWNERS;
  const ms = 1_761_000_000_000 + Math.round((n * 31_536_000_000) / jobs);
  const hash = createHash('md5').update(`job${n}`).digest('hex');
  const hex = `${ms.toString(16).padStart(12, '0')}7${hash.slice(0, 3)}8${hash.slice(3, 18)}`;
  return encodeGlobalId(
    'EditJob',
    hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  );
}

const PROMPTS_AT_ONCE = 500;

/** The owner that a service without authentication serves, and nine others. */
const ownerName = (owner: number) => (owner === 0 ? 'local' : `owner-${owner}`);

/**
 * Fills an empty, migrated database with edits of one year, by statements over sets: as many
 * succeeded, failed and unknown ones, prompts, images, tokens and costs as a busy service has. A
 * tenth as many prompts as edits.
 */
export async function fill(run: Run, jobs: number): Promise<void> {
  const keys = await dropForeignKeys(run);
  const indexes = await dropIndexes(run);
  for (const helper of HELPERS) await run(helper);
  const perOwner = Math.max(10, Math.floor(jobs / OWNERS / 10));
  for (let owner = 0; owner < OWNERS; owner++) await fillPrompts(run, owner, perOwner);
  for (const step of FILL_STEPS) await run(step, [jobs, perOwner]);
  await run('DROP TABLE "BenchPrompt"');
  await run('DROP FUNCTION "benchId"');
  for (const { definition } of [...indexes, ...keys]) await run(definition);
  await run('VACUUM ANALYZE');
}

async function fillPrompts(run: Run, owner: number, count: number): Promise<void> {
  const ownerId = ownerName(owner);
  for (let from = 0; from < count; from += PROMPTS_AT_ONCE) {
    const rows = Array.from({ length: Math.min(PROMPTS_AT_ONCE, count - from) }, (_, at) => {
      const index = from + at;
      const text = promptAt(owner, index, index / count);
      const folded = foldForSearch(text);
      return {
        index,
        text,
        folded,
        sha256: createHash('sha256').update(text).digest('hex'),
        grams: `{${searchGrams(ownerId, folded)}}`,
      };
    });
    const column = (name: keyof (typeof rows)[number]) => rows.map((row) => row[name]);
    await run(
      `WITH given AS (
        SELECT "benchId"(1700000000000 + index, 'prompt' || $1::text || index) AS id, given.*
        FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[])
          AS given(index, text, folded, sha256, grams)
      ), prompts AS (
        INSERT INTO "Prompt" (id, "ownerId", sha256, text) SELECT id, $1::text, sha256, text FROM given
      ), numbered AS (
        INSERT INTO "BenchPrompt" SELECT $7::int, index, id FROM given
      )
      INSERT INTO "PromptSearch" ("promptId", "ownerId", text, grams)
      SELECT id, $1::text, folded, grams::int[] FROM given`,
      [
        ownerId,
        column('index'),
        column('text'),
        column('folded'),
        column('sha256'),
        column('grams'),
        owner,
      ],
    );
  }
}

/** They need the indexes, and are checked at once for all rows. */
async function dropForeignKeys(run: Run): Promise<readonly { definition: string }[]> {
  const keys = (await run(`
    SELECT conrelid::regclass::text AS "table", format('%I', conname) AS name,
      pg_get_constraintdef(oid) AS definition
    FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace`)) as Record<
    'table' | 'name' | 'definition',
    string
  >[];
  for (const { table, name } of keys) await run(`ALTER TABLE ${table} DROP CONSTRAINT ${name}`);
  return keys.map(({ table, name, definition }) => ({
    definition: `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`,
  }));
}

/** They are made at once from all rows, which takes a fraction of the time. */
async function dropIndexes(run: Run): Promise<readonly { definition: string }[]> {
  const indexes = (await run(`
    SELECT index.indexrelid::regclass::text AS name, pg_get_indexdef(index.indexrelid) AS definition
    FROM pg_index AS index JOIN pg_class AS relation ON relation.oid = index.indrelid
    WHERE relation.relnamespace = 'public'::regnamespace AND NOT index.indisprimary
      AND relation.relname <> '_prisma_migrations'`)) as { name: string; definition: string }[];
  for (const { name } of indexes) await run(`DROP INDEX ${name}`);
  return indexes;
}
