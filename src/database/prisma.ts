import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { Log } from '../log.ts';
import { PrismaClient } from './generated/prisma/client.ts';

/**
 * How long a transaction waits for a connection, and may take, in milliseconds. Prisma's own 2 s and
 * 5 s give up on a database that is merely busy.
 */
const transactionOptions = { maxWait: 15_000, timeout: 30_000 };

/** At log level `trace` every statement is logged: its text only, as its values are the users'. */
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
