import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '../log.ts';
import { clientConfig } from './connection-pool.ts';
import type { Listener } from './database.ts';
import { LISTENING_SESSION } from './session-settings.ts';
import { sessionLockName } from './sessions.ts';

/** First and longest delay before listening again, in milliseconds. */
const RECONNECT_DELAY_MS = { min: 100, max: 1_000 };

/** Timeout of a connection attempt and of a statement, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** How often the connection is tested, in milliseconds, because one can break silently. */
const HEARTBEAT_MS = 5_000;

export interface ServerListener extends Listener {
  /** Replaces the current connection, which may lead to a former primary. */
  renew(): void;
}

/** Keeps one listening connection open, and replaces it when it is lost. */
export async function listenToServer(options: {
  url: string;
  channel: string;
  /** The connection holds its lock. */
  sessionId: string;
  onPayload: (payload: string) => void;
  onListening: () => void;
  log: Log;
}): Promise<ServerListener> {
  const { url, channel, sessionId, onPayload, onListening, log } = options;
  const stopped = new AbortController();
  let client: pg.Client | undefined;

  async function connect(): Promise<void> {
    const next = new pg.Client({
      ...clientConfig(url),
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    });
    next.on('notification', (message) => onPayload(message.payload ?? ''));
    next.on('error', () => {});
    try {
      await next.connect();
      await next.query(LISTENING_SESSION);
      await next.query('SELECT pg_advisory_lock_shared(hashtextextended($1, 0))', [
        sessionLockName(sessionId),
      ]);
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await next.end().catch(() => {});
      throw error;
    }
    client = next;
    const heartbeat = setInterval(() => {
      next.query('SELECT 1').catch(() => void next.end().catch(() => {}));
    }, HEARTBEAT_MS);
    next.once('end', () => {
      clearInterval(heartbeat);
      void reconnect();
    });
    onListening();
  }

  async function reconnect(): Promise<void> {
    const { min, max } = RECONNECT_DELAY_MS;
    for (let delayMs = min; !stopped.signal.aborted; delayMs = Math.min(delayMs * 2, max)) {
      try {
        await delay(delayMs, undefined, { signal: stopped.signal });
        return await connect();
      } catch (error) {
        if (!stopped.signal.aborted)
          log.warn({ err: error }, 'cannot listen for Postgres notifications, retrying');
      }
    }
  }

  await connect();
  return {
    renew: () => void client?.end().catch(() => {}),
    async close() {
      stopped.abort();
      await client?.end();
    },
  };
}
