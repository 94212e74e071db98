import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** DB_SHUTDOWNED in Postgres's catalog/pg_control.h, and the offset of its `state`. */
const SHUT_DOWN = 1;
const STATE_AT = 16;

/**
 * Whether a closed database is already synced as a whole. Syncing it again costs a disk flush for
 * each of its thousand files. False if it was copied, restored, or left by a version that did not
 * sync. Postgres itself syncs a database that was not shut down, before it recovers.
 */
export function isOnDisk(dir: string): boolean {
  return stateOf(dir) !== SHUT_DOWN || readMark(dir) === identityOf(dir);
}

/** Call after the database was shut down with all files synced. */
export function markOnDisk(dir: string): void {
  writeFileSync(markPath(dir), identityOf(dir));
}

function readMark(dir: string): string | null {
  try {
    return readFileSync(markPath(dir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
}

/** A copy has another inode; changed content has another time. */
function identityOf(dir: string): string {
  const { ino, mtimeNs } = statSync(controlPath(dir), { bigint: true });
  return `${ino} ${mtimeNs}\n`;
}

function stateOf(dir: string): number {
  const bytes = Buffer.alloc(STATE_AT + 4);
  const fd = openSync(controlPath(dir), 'r');
  try {
    readSync(fd, bytes, 0, bytes.length, 0);
  } finally {
    closeSync(fd);
  }
  return bytes.readUInt32LE(STATE_AT);
}

function markPath(dir: string): string {
  return join(dir, 'retouch.synced');
}

function controlPath(dir: string): string {
  return join(dir, 'postgres', 'global', 'pg_control');
}
