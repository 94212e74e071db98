import type { PrismaClient } from '../../src/database/database.ts';

/** Every row of every table, the queue's too, as text: for what must be nowhere. */
export async function dumpTables(prisma: PrismaClient): Promise<string> {
  const tables = await prisma.$queryRaw<{ name: string }[]>`
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tableowner = current_user
    ORDER BY 1`;
  const dumps: string[] = [];
  for (const { name } of tables) {
    const rows = await prisma.$queryRawUnsafe<{ row: string }[]>(
      `SELECT "each"::text AS row FROM ${name} AS "each"`,
    );
    dumps.push(...rows.map(({ row }) => `${name} ${row}`));
  }
  return dumps.join('\n');
}
