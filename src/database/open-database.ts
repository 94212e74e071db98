import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import { type Availability, createAvailability } from './availability.ts';
import type { Database } from './database.ts';
import { migrate } from './migrations.ts';

/** A database with all migrations applied. */
export interface OpenDatabase {
  readonly database: Database;
  readonly availability: Availability;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * @param options.onAborted Called when the embedded database has ended itself: only a restart helps.
 * @throws StartError or ConfigError when the database cannot be used; it is closed then.
 */
export async function openDatabase(options: {
  config: Config['database'];
  onAborted?: (() => void) | undefined;
  log: Log;
}): Promise<OpenDatabase> {
  const { log } = options;
  await using opened = new AsyncDisposableStack();
  const database = opened.adopt(await connectDatabase(options), (it) => it.close());
  await migrate({ database, log });
  opened.move();
  return { database, availability: createAvailability({ database }), close: database.close };
}

/** Like `openDatabase`, with whatever schema the database has: nothing is changed. */
export async function connectDatabase(
  options: Parameters<typeof openDatabase>[0],
): Promise<Database> {
  const { config, onAborted, log } = options;
  // Each with its libraries, of which a process needs those of one.
  if (config.kind === 'pglite') {
    const { openPglite } = await import('./pglite.ts');
    return openPglite({ dir: config.dir, log, onAborted });
  }
  const { checkPostgres } = await import('./start/check-postgres.ts');
  await checkPostgres(config);
  const { openPostgres } = await import('./postgres.ts');
  return openPostgres({ ...config, log });
}
