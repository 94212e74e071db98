import type { PGlite } from '@electric-sql/pglite';
import type { Log } from '../log.ts';

/** How often to check, in milliseconds. */
const LOOK_MS = 60_000;

/** Bounds the log that a start after a crash must replay, and its disk space. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;

/**
 * Checkpoints of the embedded database. A Postgres server has a process for them, which PGlite
 * lacks: without this, it makes one only at shutdown and keeps its whole log until then.
 */
export interface Checkpoints {
  /** Idempotent. */
  stop(): void;
}

export function makeCheckpoints(options: {
  pglite: PGlite;
  log: Log;
  /** @default 60_000 // a minute */
  lookMs?: number;
  /** @default 64 MiB */
  maxLogBytes?: number;
}): Checkpoints {
  const { pglite, log, lookMs = LOOK_MS, maxLogBytes = MAX_LOG_BYTES } = options;

  async function look(): Promise<void> {
    const { rows } = await pglite.query<{ due: boolean }>(
      `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) >= $1 AS due
       FROM pg_control_checkpoint()`,
      [maxLogBytes],
    );
    if (rows[0]?.due) await pglite.exec('CHECKPOINT');
  }

  const timer = setInterval(() => {
    look().catch((error) => log.warn({ err: error }, 'checkpoint of the embedded database failed'));
  }, lookMs).unref();
  return { stop: () => clearInterval(timer) };
}
