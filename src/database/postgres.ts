import { setTimeout as delay } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { StartError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Database, Listener } from './database.ts';
import { createPrisma } from './prisma.ts';

/** Longest wait between two attempts to listen again. */
const MAX_RECONNECT_DELAY_MS = 5_000;

/**
 * How long a statement waits for a connection, and for its answer, in milliseconds: nobody hangs on a
 * server that has stopped.
 */
const TIMEOUT_MS = 15_000;

/** A Postgres server. Connections are made when first needed and again when they were lost. */
export function openPostgres({ url, log }: { url: string; log: Log }): Database {
  const prisma = createPrisma(
    new PrismaPg({
      connectionString: url,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    }),
    log,
  );
  let closing: Promise<void> | undefined;
  return {
    kind: 'postgres',
    prisma,
    boss: { connectionString: url, application_name: 'retouch' },
    listen: (channel, onPayload, onListening) =>
      listen({ url, channel, onPayload, onListening, log }),
    openForMigration() {
      const pool = new pg.Pool({ connectionString: url, max: 1 });
      pool.on('error', () => {});
      return { factory: new PrismaPg(pool), close: () => pool.end() };
    },
    close() {
      closing ??= prisma.$disconnect();
      return closing;
    },
  };
}

/** @throws StartError when the server cannot be reached, or does not let us in. */
export async function checkPostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: TIMEOUT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (cause) {
    const { message, code } = cause as { message?: string; code?: string };
    throw new StartError(
      `the database of DATABASE_URL cannot be used: ${message || code}. Is the server up, and are host, port, user, password and database right?`,
      { cause },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

/** Holds one connection that listens, and makes a new one whenever it is lost. */
async function listen(options: {
  url: string;
  channel: string;
  onPayload: (payload: string) => void;
  onListening: () => void;
  log: Log;
}): Promise<Listener> {
  const { url, channel, onPayload, onListening, log } = options;
  const stopped = new AbortController();
  let client: pg.Client | undefined;

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, keepAlive: true });
    next.on('notification', (message) => onPayload(message.payload ?? ''));
    next.on('error', () => {});
    try {
      await next.connect();
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await next.end().catch(() => {});
      throw error;
    }
    client = next;
    next.once('end', () => void reconnect());
    onListening();
  }

  async function reconnect(): Promise<void> {
    for (let delayMs = 100; !stopped.signal.aborted; delayMs *= 2) {
      try {
        await delay(Math.min(delayMs, MAX_RECONNECT_DELAY_MS), undefined, {
          signal: stopped.signal,
        });
        return await connect();
      } catch (error) {
        if (!stopped.signal.aborted)
          log.warn({ err: error }, 'cannot listen to Postgres, trying again');
      }
    }
  }

  await connect();
  return {
    async close() {
      stopped.abort();
      await client?.end();
    },
  };
}
