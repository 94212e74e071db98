import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { Log } from '../log.ts';
import { PrismaClient } from './generated/prisma/client.ts';

/**
 * How long a transaction may wait for a connection, and run, in milliseconds. Prisma's defaults of
 * 2 s and 5 s give up on a database that is merely busy.
 */
const transactionOptions = { maxWait: 15_000, timeout: 30_000 };

/** Level `trace` logs the text of every statement, never its values, which are users' data. */
export function createPrisma(adapter: SqlDriverAdapterFactory, log: Log): PrismaClient {
  if (!log.isLevelEnabled('trace')) return new PrismaClient({ adapter, transactionOptions });
  const prisma = new PrismaClient({
    adapter,
    transactionOptions,
    log: [{ emit: 'event', level: 'query' }],
  });
  prisma.$on('query', ({ query, duration }) => log.trace({ sql: query, ms: duration }, 'sql'));
  return prisma as PrismaClient;
}
