import { Prisma, type Transaction } from '../../database/database.ts';

/**
 * Tables whose rows stay with their owner when the history is assigned to another one: credentials,
 * which would otherwise gain access to what that owner creates, and the record of what was done.
 */
const STAYING: readonly string[] = ['ApiKey', 'AuditEvent'];

/** All tables with the column `ownerId` whose rows are part of an owner's history. */
export const HISTORY_TABLES: readonly string[] = Object.values(Prisma.ModelName).filter(
  (name) => 'ownerId' in Prisma[`${name}ScalarFieldEnum`] && !STAYING.includes(name),
);

/**
 * The same, each before the tables that its foreign keys refer to. In this order, no update of an
 * owner cascades: a referenced row has no row left that names its old owner.
 */
export async function inUpdateOrder(tx: Pick<Transaction, '$queryRaw'>): Promise<string[]> {
  const links = await tx.$queryRaw<{ from: string; to: string }[]>`
    SELECT here.relname::text AS "from", there.relname::text AS "to"
    FROM pg_constraint AS link
    JOIN pg_class AS here ON here.oid = link.conrelid
    JOIN pg_class AS there ON there.oid = link.confrelid
    WHERE link.contype = 'f' AND link.connamespace = current_schema()::regnamespace`;
  const ordered: string[] = [];
  const visit = (table: string): void => {
    if (ordered.includes(table)) return;
    for (const { from, to } of links) if (to === table && from !== table) visit(from);
    if (HISTORY_TABLES.includes(table)) ordered.push(table);
  };
  for (const table of HISTORY_TABLES) visit(table);
  return ordered;
}

/** The name of a table in SQL. */
export const tableName = (table: string): Prisma.Sql => Prisma.raw(`"${table}"`);
