import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from '../errors.ts';

export interface DataDirLock {
  /** Idempotent. */
  release(): void;
}

/** Another process holds the lock. */
export class DataDirInUseError extends ConfigError {}

/**
 * Makes this process the only user of an embedded data directory, because two on one directory
 * silently lose rows.
 *
 * The lock is SQLite's lock on an empty file. The kernel holds it and releases it with the process,
 * so it cannot become stale. A note beside it names the holder. Like SQLite's, it does not work
 * over network file systems.
 * @throws DataDirInUseError naming the holder; never waits.
 */
export function lockDataDir(dir: string): DataDirLock {
  mkdirSync(dir, { recursive: true });
  const holderPath = join(dir, 'retouch.holder.json');
  const lock = new DatabaseSync(join(dir, 'retouch.lock'), { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new DataDirInUseError([
      `DATA_DIR ${JSON.stringify(dir)} is in use by ${describeHolder(holderPath)}. ` +
        'Stop it, set another DATA_DIR, or set DATABASE_URL to share one Postgres server between processes.',
    ]);
  }
  const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  writeFileSync(holderPath, `${JSON.stringify(holder)}\n`);
  return {
    release() {
      if (lock.isOpen) lock.close();
    },
  };
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function describeHolder(path: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(path, 'utf8'));
    return `process ${pid} on ${host} (since ${since})`;
  } catch {
    return 'another process that is starting';
  }
}
