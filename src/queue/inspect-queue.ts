import pgBoss from 'pg-boss/package.json' with { type: 'json' };
import { type Database, Prisma } from '../database/database.ts';
import { refuseForeignQueue } from './schema-owner.ts';

/** The queue's own tables in a database. */
export interface InspectedQueue {
  readonly schema: string;
  /** Null: the next start creates them. */
  readonly installed: number | null;
  /** The version of this release. */
  readonly expected: number;
}

/** Changes nothing. @throws StartError if the queue's schema belongs to somebody else. */
export async function inspectQueue(database: Database): Promise<InspectedQueue> {
  await refuseForeignQueue(database);
  const { prisma, names } = database;
  const table = `"${names.queueSchema}".version`;
  const [{ exists } = { exists: false }] = await prisma.$queryRaw<{ exists: boolean }[]>`
    SELECT to_regclass(${table}) IS NOT NULL AS "exists"`;
  const [row] = exists
    ? await prisma.$queryRaw<{ version: number }[]>`SELECT version FROM ${Prisma.raw(table)}`
    : [];
  const { schema: expected } = pgBoss.pgboss;
  return { schema: names.queueSchema, installed: row?.version ?? null, expected };
}
