import type { PGlite } from '@electric-sql/pglite';
import type { Log } from '../log.ts';

/** How often to check, in milliseconds. */
const LOOK_MS = 60_000;

/**
 * A table is due when a fifth of its rows are dead, and 500, which are counted since the start; or
 * when it has grown by a fifth since its last vacuum, and by 32 pages of 8 KiB, which outlasts a
 * restart.
 */
const SHARE = 0.2;
const MIN_DEAD_ROWS = 500;
const MIN_NEW_PAGES = 32;

/**
 * Vacuums the embedded database. A Postgres server has processes for it, which PGlite lacks: without
 * this, the space of deleted and changed rows is never used again, and no index is read alone.
 */
export interface Vacuum {
  /** Idempotent. */
  stop(): void;
}

export function vacuumTables(options: {
  pglite: PGlite;
  log: Log;
  /** @default 60_000 // a minute */
  lookMs?: number;
}): Vacuum {
  const { pglite, log, lookMs = LOOK_MS } = options;
  let isStopped = false;
  let isLooking = false;

  async function look(): Promise<void> {
    const { rows } = await pglite.query<{ name: string }>(DUE, [
      SHARE,
      MIN_DEAD_ROWS,
      MIN_NEW_PAGES,
    ]);
    for (const { name } of rows) if (!isStopped) await pglite.exec(`VACUUM ${name}`);
  }

  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look()
      .catch((error) => log.warn({ err: error }, 'vacuum of the embedded database failed'))
      .finally(() => {
        isLooking = false;
      });
  }, lookMs).unref();
  return {
    stop() {
      isStopped = true;
      clearInterval(timer);
    },
  };
}

/** A table counts with its long values (TOAST), which a vacuum of it includes. */
const DUE = `
  SELECT format('%I.%I', namespace.nspname, main.relname) AS name
  FROM pg_class AS main
  JOIN pg_namespace AS namespace ON namespace.oid = main.relnamespace
  LEFT JOIN pg_class AS long ON long.oid = main.reltoastrelid
  WHERE main.relkind = 'r' AND main.relpersistence = 'p' AND (
    pg_stat_get_dead_tuples(main.oid) > greatest(main.reltuples, 0) * $1::float + $2::float
    OR (pg_relation_size(main.oid) + coalesce(pg_relation_size(long.oid), 0))
        / current_setting('block_size')::float
      > (main.relpages + coalesce(long.relpages, 0)) * (1 + $1::float) + $3::float
  )
  ORDER BY 1`;
