import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { StartError } from '../../errors.ts';
import { connectOnce, inspect } from './connect.ts';

/** A notification takes milliseconds; a busy server gets more time. */
const TIMEOUT_MS = 10_000;

/**
 * Checks that a listening session receives a notification from another transaction. A transaction
 * pooler lends the listening connection to the next client: here the sender, which then hears
 * itself.
 * @throws StartError
 */
export async function checkListen(options: {
  url: string;
  directUrl: string | null;
}): Promise<void> {
  const { url, directUrl } = options;
  const setting = directUrl === null ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL';
  // Unique, because a pooler may keep listening on it.
  const channel = `retouch_start_${randomUUID()}`;
  const listener = await connectOnce(directUrl ?? url, setting);
  try {
    await listener.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    const heard = new Promise<boolean>((resolve) =>
      listener.on('notification', (message) => {
        if (message.channel === channel) resolve(true);
      }),
    );
    const sender = await connectOnce(url, 'DATABASE_URL');
    try {
      const astray = new Promise<boolean>((resolve) =>
        sender.on('notification', () => resolve(false)),
      );
      await inspect(sender, 'SELECT pg_notify($1, $2)', [channel, '']);
      const late = new AbortController();
      const silent = delay(TIMEOUT_MS, false, { signal: late.signal }).catch(() => false);
      const isHeard = await Promise.race([heard, astray, silent]);
      late.abort();
      if (!isHeard) throw deaf(directUrl !== null);
    } finally {
      await sender.end().catch(() => {});
    }
  } finally {
    await listener.end().catch(() => {});
  }
}

function deaf(hasDirectUrl: boolean): StartError {
  return new StartError(
    hasDirectUrl
      ? 'DATABASE_DIRECT_URL does not receive notifications that are sent through DATABASE_URL: it must connect to the same database, without a transaction pooler.'
      : 'DATABASE_URL connects through a transaction pooler, which does not deliver notifications: set DATABASE_DIRECT_URL to the same database without the pooler, or use session pooling.',
    { isTemporary: false },
  );
}
