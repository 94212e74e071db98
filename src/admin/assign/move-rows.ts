import { ofAllOwners, ownedBy } from '../../auth/visible.ts';
import { Prisma, type Transaction } from '../../database/database.ts';
import { searchGrams } from '../../edits/prompts/search-text.ts';
import type { CommandRun } from '../commands/commands.ts';
import { HISTORY_TABLES, inUpdateOrder, tableName } from './owned-tables.ts';

/** Prompts whose search index is computed at once. */
const PROMPTS = 100;

/** Waiting longer for a table than Postgres does before it looks for deadlocks would cause one. */
const LOCK_TIMEOUT_MS = 500;

/**
 * Locks all tables of the history until `tx` ends, so that no row of the owner appears meanwhile, and
 * no blob is removed. Others can read.
 * @throws 55P03 if a table is in use for longer: roll back and try again.
 */
export async function lockHistory(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT set_config('lock_timeout', ${`${LOCK_TIMEOUT_MS}ms`}, true)`;
  for (const table of HISTORY_TABLES) {
    await ofAllOwners(tx).$executeRaw`LOCK TABLE ${tableName(table)} IN EXCLUSIVE MODE`;
  }
  await tx.$executeRaw`SELECT set_config('lock_timeout', '0', true)`;
}

/**
 * Changes the owner of all rows of the history. Returns the number of rows by table.
 * @param tx has locked the history; `to` has none.
 */
export async function moveRows(
  tx: Transaction,
  { from, to }: { from: string; to: string },
  { note, signal }: CommandRun,
): Promise<Record<string, number>> {
  await tx.$executeRaw`SET CONSTRAINTS ALL DEFERRED`;
  const moved: Record<string, number> = {};
  for (const table of await inUpdateOrder(tx)) {
    signal.throwIfAborted();
    const rows =
      table === 'PromptSearch'
        ? await moveSearchIndex(tx, { from, to }, signal)
        : await ofAllOwners(tx).$executeRaw`
            UPDATE ${tableName(table)} SET "ownerId" = ${to} WHERE "ownerId" = ${from}`;
    if (rows > 0) note(`${table}: ${rows} rows`);
    moved[table] = rows;
  }
  await tx.$executeRaw`SET CONSTRAINTS ALL IMMEDIATE`;
  return moved;
}

/** The hashes by which prompts are found contain the owner. */
async function moveSearchIndex(
  tx: Transaction,
  { from, to }: { from: string; to: string },
  signal: AbortSignal,
): Promise<number> {
  let moved = 0;
  for (;;) {
    signal.throwIfAborted();
    const prompts = await tx.promptSearch.findMany({
      where: ownedBy(from),
      select: { promptId: true, text: true },
      orderBy: { promptId: 'asc' },
      take: PROMPTS,
    });
    if (prompts.length === 0) return moved;
    const rows = prompts.map(({ promptId, text }) => ({
      id: promptId,
      grams: searchGrams(to, text),
    }));
    moved += await ofAllOwners(tx).$executeRaw`
      UPDATE "PromptSearch" AS search
      SET "ownerId" = ${to}, grams = ARRAY(SELECT jsonb_array_elements_text(row.grams)::int)
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS row(id uuid, grams jsonb)
      WHERE search."promptId" = row.id AND search."ownerId" = ${from}`;
  }
}

/** The tables in which an owner has rows of a history. */
export async function historyOf(
  tx: Pick<Transaction, '$queryRaw'>,
  ownerId: string,
): Promise<readonly string[]> {
  const checks = HISTORY_TABLES.map(
    (table) =>
      Prisma.sql`SELECT ${table}::text AS name
        WHERE EXISTS (SELECT FROM ${tableName(table)} WHERE "ownerId" = ${ownerId})`,
  );
  const rows = await ofAllOwners(tx).$queryRaw<{ name: string }[]>`
    ${Prisma.join(checks, ' UNION ALL ')}`;
  return rows.map(({ name }) => name);
}
