import type pg from 'pg';
import type { Log } from '../log.ts';
import { createConnectionPool } from './connection-pool.ts';
import { setSession } from './session-settings.ts';

/** How often the lag is measured, in milliseconds, at most. */
const MAX_INTERVAL_MS = 1_000;

/** A statement that takes longer goes to the primary, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** Samples of the primary's log that are remembered: more than a bound of the lag has intervals. */
const MAX_SAMPLES = 4_000;

export interface Replica {
  readonly pool: pg.Pool;
  /** Whether it has all that the primary had `maxLagMs` ago. */
  isUsable(): boolean;
  /** Not to be used until its lag was measured again. */
  suspect(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * A standby for reads that may lag. Its lag is measured by the primary's log: it has what the primary
 * had at a time if it has replayed the position that the log had then. So clocks do not matter, nor
 * whether the primary writes or the standby is connected to it.
 */
export function openReplica(options: {
  url: string;
  schema: string;
  poolSize: number;
  maxLagMs: number;
  primary: pg.Pool;
  log: Log;
}): Replica {
  const { url, schema, poolSize, maxLagMs, primary, log } = options;
  const { pool } = createConnectionPool({
    url,
    max: poolSize,
    timeoutMs: TIMEOUT_MS,
    // A standby rejects every statement while the default is `serializable`.
    setup: ["SET default_transaction_isolation TO 'read committed'", setSession(schema)],
    onReadOnly() {},
  });
  /** Positions of the primary's log that the replica has not replayed yet, oldest first. */
  let samples: { readonly position: bigint; readonly atMs: number }[] = [];
  /** It has all that the primary had then. */
  let freshMs = Number.NEGATIVE_INFINITY;
  let wasUsable: boolean | null = null;
  let measuring: Promise<void> | undefined;

  const isUsable = () => performance.now() - freshMs <= maxLagMs;

  async function measure(): Promise<void> {
    try {
      const atMs = performance.now();
      const { rows: written } = await primary.query<{ position: string }>(
        `SELECT (pg_current_wal_lsn() - '0/0')::text AS position`,
      );
      samples.push({ position: BigInt(written[0]?.position ?? 0), atMs });
      samples = samples.slice(-MAX_SAMPLES);
      const { rows } = await pool.query<{ position: string | null }>(
        `SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::text END
           AS position`,
      );
      const position = rows[0]?.position;
      if (position == null) throw new Error('the server is not a standby');
      const replayed = BigInt(position);
      const caughtUp = samples.findLast((sample) => sample.position <= replayed);
      if (caughtUp !== undefined) {
        freshMs = caughtUp.atMs;
        samples = samples.filter((sample) => sample.atMs > freshMs);
      }
    } catch (error) {
      freshMs = Number.NEGATIVE_INFINITY;
      log.debug({ err: error }, 'cannot measure the lag of the read replica');
    }
    if (isUsable() === wasUsable) return;
    wasUsable = isUsable();
    if (wasUsable) log.info('reading history from the replica');
    else log.warn('the read replica is away or lags: reading history from the primary');
  }

  const timer = setInterval(
    () => {
      measuring ??= measure().finally(() => {
        measuring = undefined;
      });
    },
    Math.min(MAX_INTERVAL_MS, maxLagMs / 4),
  );
  timer.unref();

  let closing: Promise<void> | undefined;
  return {
    pool,
    isUsable,
    suspect() {
      freshMs = Number.NEGATIVE_INFINITY;
    },
    close() {
      closing ??= (async () => {
        clearInterval(timer);
        await measuring;
        await pool.end();
      })();
      return closing;
    },
  };
}
