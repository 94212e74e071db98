import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDirectories, syncFile } from '../../config/data-dir/durable-files.ts';
import { PRIVATE_DIRECTORY } from '../../config/data-dir/private-directory.ts';
import { canUseDirectory } from '../../config/data-dir/storage-access.ts';
import { StorageError } from '../../errors.ts';
import { checkBlobKey, isBlobKey } from './blob-key.ts';
import type { BlobEntry, BlobStore } from './blob-store.ts';
import { type BufferPool, createBufferPool } from './buffer-pool.ts';

const PIECE_BYTES = 256 * 1024;
/** Two for each of 16 concurrent readers. */
const MAX_SPARE_BUFFERS = 32;

/**
 * Blobs in a local directory, one file per key. `put` renames, so the file must be on the same file
 * system as `dir`; if it fails, the file remains for the caller to discard.
 */
export function createFsBlobStore({ dir }: { dir: string }): BlobStore {
  const root = resolve(dir);
  const buffers = createBufferPool({ bytes: PIECE_BYTES, maxSpare: MAX_SPARE_BUFFERS });

  function pathOf(key: string): string {
    checkBlobKey(key);
    return join(root, key);
  }

  async function put(key: string, path: string): Promise<void> {
    const target = pathOf(key);
    try {
      if (await makeYoung(target)) {
        // The process that stored it first may not have synced it yet, or was killed.
        await syncFile(target);
        await rm(path, { force: true });
      } else {
        await syncFile(path);
        await mkdir(dirname(target), { recursive: true, mode: PRIVATE_DIRECTORY });
        await rename(path, target);
      }
      await syncDirectories(dirname(target), root);
    } catch (error) {
      throw storageError('store', error);
    }
  }

  async function copy(from: string, to: string): Promise<boolean> {
    const source = pathOf(from);
    const target = pathOf(to);
    try {
      if (!(await makeYoung(source))) return false;
      await mkdir(dirname(target), { recursive: true, mode: PRIVATE_DIRECTORY });
      if (await makeYoung(target)) await syncFile(target);
      else await linkOrCopy(source, target, root);
      await syncDirectories(dirname(target), root);
      return true;
    } catch (error) {
      throw storageError('copy', error);
    }
  }

  async function look(key: string): Promise<Stats | null> {
    const target = pathOf(key);
    try {
      return await find(target);
    } catch (error) {
      throw storageError('find', error);
    }
  }

  async function remove(key: string): Promise<void> {
    const target = pathOf(key);
    try {
      await rm(target, { force: true });
    } catch (error) {
      throw storageError('delete', error);
    }
  }

  /** Directory by directory. */
  async function* list({ after = '' } = {}, dir = ''): AsyncGenerator<BlobEntry, void> {
    for (const name of await namesIn(join(root, dir))) {
      const path = dir + name;
      if (name.endsWith('/')) {
        if (path > after || after.startsWith(path)) yield* list({ after }, path);
      } else if (path > after && isBlobKey(path)) {
        const found = await find(join(root, path));
        if (found) yield { key: path, modifiedAt: found.mtime };
      }
    }
  }

  return {
    put,
    copy,
    size: async (key) => (await look(key))?.size ?? null,
    modifiedAt: async (key) => (await look(key))?.mtime ?? null,
    delete: remove,
    async *list(options) {
      try {
        yield* list(options);
      } catch (error) {
        throw storageError('list', error);
      }
    },
    async check() {
      await canUseDirectory(root).catch((error) => {
        throw storageError('take', error);
      });
    },
    pieces: (key, range) => piecesOf(pathOf(key), buffers, range),
    localPath: pathOf,
    read(key, range) {
      const target = pathOf(key);
      return createReadStream(target, { ...range, highWaterMark: PIECE_BYTES });
    },
  };
}

/** Blobs never change, so both names may share one file. */
async function linkOrCopy(source: string, target: string, root: string): Promise<void> {
  const code = await link(source, target).then(
    () => null,
    (error: NodeJS.ErrnoException) => error.code,
  );
  if (code === null || code === 'EEXIST') return;
  // A file system without links. The name is hidden, so that no other process lists it.
  const fresh = join(root, `.${randomUUID()}`);
  try {
    await copyFile(source, fresh);
    await syncFile(fresh);
    await rename(fresh, target);
  } finally {
    await rm(fresh, { force: true });
  }
}

/** Fills one buffer while the other one is in use. */
async function* piecesOf(
  path: string,
  buffers: BufferPool,
  { start, end } = { start: 0, end: Number.POSITIVE_INFINITY },
): AsyncGenerator<Uint8Array, void> {
  const handle = await open(path, 'r');
  const fill = (buffer: Buffer, position: number) => {
    const length = Math.min(buffer.length, Math.max(0, end + 1 - position));
    const filling = handle.read(buffer, 0, length, position);
    // Handled when awaited, if at all: the reader may stop earlier.
    filling.catch(() => undefined);
    return filling;
  };
  try {
    let spare = buffers.take();
    let filling = fill(buffers.take(), start);
    for (let position = start; ; ) {
      const { buffer, bytesRead } = await filling;
      if (bytesRead === 0) {
        // Not earlier: a reader that stops may leave a piece with a socket.
        buffers.giveBack(buffer);
        buffers.giveBack(spare);
        return;
      }
      position += bytesRead;
      filling = fill(spare, position);
      spare = buffer;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function find(path: string): Promise<Stats | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** False if the file does not exist. */
async function makeYoung(path: string): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(path, now, now);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Sorted like keys, with a slash after directories. Empty if the directory does not exist. */
async function namesIn(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function storageError(doing: string, error: unknown): StorageError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return new StorageError(
    `The disk failed to ${doing} ${doing === 'list' ? 'images' : 'an image'} (${code}).`,
    { cause: error },
  );
}
