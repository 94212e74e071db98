import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { Log } from '../log.ts';

/** At log level `trace` every statement is logged: its text only, as its values are the users'. */
export function createPrisma(adapter: SqlDriverAdapterFactory, log: Log): PrismaClient {
  if (!log.isLevelEnabled('trace')) return new PrismaClient({ adapter });
  const prisma = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] });
  prisma.$on('query', ({ query, duration }) => log.trace({ sql: query, ms: duration }, 'sql'));
  return prisma as PrismaClient;
}
