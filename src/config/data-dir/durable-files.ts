import { closeSync, fdatasyncSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { chmod, mkdir, open, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PRIVATE_DIRECTORY } from './private-directory.ts';

/**
 * Windows cannot open a directory to sync it; its file systems write directory entries themselves.
 */
const SYNCS_DIRECTORIES = process.platform !== 'win32';

/** Windows requires write access to sync a file. */
const OPEN_FILE = process.platform === 'win32' ? 'r+' : 'r';

/** Errors of file systems that cannot sync a directory. Postgres ignores them, too. */
const CANNOT_SYNC = ['EINVAL', 'EBADF', 'ENOTSUP'];

/** Errors for a directory that this user may not read. */
const CLOSED = ['EACCES', 'EPERM'];

function ignore(codes: readonly string[]) {
  return (error: NodeJS.ErrnoException): void => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}

/**
 * Resolves when the file's content survives a power cut. Its name survives only once its directory
 * is synced.
 */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, OPEN_FILE);
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Resolves when the names in the directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  if (!SYNCS_DIRECTORIES) return;
  const handle = await open(path, 'r');
  try {
    await handle.sync().catch(ignore(CANNOT_SYNC));
  } finally {
    await handle.close();
  }
}

/** The directory `from` and those above it, up to `root`. */
export async function syncDirectories(from: string, root: string): Promise<void> {
  const dirs = [from];
  for (let dir = from; dir !== root && dir !== dirname(dir); ) {
    dir = dirname(dir);
    dirs.push(dir);
  }
  await Promise.all(dirs.map(syncDirectory));
}

/**
 * Creates a directory and its missing parents, private to this user, and syncs them. An existing
 * directory becomes private, too; it is synced again, because a killed process may have created it.
 * Parents that this user may not read are skipped.
 */
export async function makeDirectory(path: string): Promise<void> {
  await makeMissing(resolve(path));
  await chmod(path, PRIVATE_DIRECTORY).catch((error: NodeJS.ErrnoException) => {
    // A mounted directory may belong to another user who grants access on purpose.
    if (error.code !== 'EPERM') throw error;
  });
  for (let dir = resolve(path); ; dir = dirname(dir)) {
    await syncDirectory(dir).catch(ignore(CLOSED));
    if (dir === dirname(dir)) return;
  }
}

/**
 * Node's own `recursive` loops forever if the system reports an existing parent as missing, as in
 * /proc.
 */
async function makeMissing(dir: string): Promise<void> {
  try {
    await mkdir(dir, { mode: PRIVATE_DIRECTORY });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await isDirectory(dir))) return;
    const parent = dirname(dir);
    if (code !== 'ENOENT' || (await isDirectory(parent))) throw error;
    await makeMissing(parent);
    await makeMissing(dir);
  }
}

const isDirectory = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * Syncs every file and directory in `dir`, and `dir` itself. Blocks the thread; for startup only.
 */
export function syncTree(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncOpened(path, OPEN_FILE, fdatasyncSync);
  }
  syncDirectorySync(dir);
}

/** Like `syncDirectory`, but blocks. */
export function syncDirectorySync(path: string): void {
  if (!SYNCS_DIRECTORIES) return;
  syncOpened(path, 'r', (fd) => {
    try {
      fsyncSync(fd);
    } catch (error) {
      ignore(CANNOT_SYNC)(error as NodeJS.ErrnoException);
    }
  });
}

function syncOpened(path: string, flags: 'r' | 'r+', sync: (fd: number) => void): void {
  const fd = openSync(path, flags);
  try {
    sync(fd);
  } finally {
    closeSync(fd);
  }
}
