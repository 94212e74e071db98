import type { Hash } from 'node:crypto';
import { createHash, randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PRIVATE_DIRECTORY, PRIVATE_FILE } from '../../config/data-dir/private-directory.ts';
import { StorageError } from '../../errors.ts';
import { type BufferPool, createBufferPool } from './buffer-pool.ts';
import type { StagedFile, Staging, StagingWriter } from './staging.ts';

const HEAD_BYTES = 64;
const STEP_BYTES = 256 * 1024;
/** Two for each of 16 concurrent files. */
const MAX_SPARE_BUFFERS = 32;

/**
 * Staging in a local directory, created on first use. File names consist of `owner` and a random
 * part, never of client input.
 */
export function createStaging({
  dir,
  owner = 'process',
}: {
  dir: string;
  /** Identifies this process among those that share the directory: no dots, no slashes. */
  owner?: string;
}): Staging {
  const root = resolve(dir);
  const buffers = createBufferPool({ bytes: STEP_BYTES, maxSpare: MAX_SPARE_BUFFERS });

  async function create(): Promise<StagingWriter> {
    const path = join(root, `${owner}.${randomUUID()}`);
    return refused('create', async () => {
      await mkdir(root, { recursive: true, mode: PRIVATE_DIRECTORY });
      return createWriter(path, await open(path, 'wx', PRIVATE_FILE), buffers);
    });
  }

  async function sweep(maxAgeMs: number): Promise<number> {
    const oldest = Date.now() - maxAgeMs;
    const names = await readdir(root).catch(nothingThere);
    let removed = 0;
    for (const name of names ?? []) {
      const path = join(root, name);
      const found = await stat(path).catch(nothingThere);
      if (!found?.isFile() || found.mtimeMs > oldest) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }

  async function sweepAbandoned(running: () => Promise<ReadonlySet<string>>): Promise<number> {
    const names = (await readdir(root).catch(nothingThere)) ?? [];
    const foreign = names.filter((name) => name.includes('.') && ownerOf(name) !== owner);
    if (foreign.length === 0) return 0;
    const owners = await running();
    const abandoned = foreign.filter((name) => !owners.has(ownerOf(name)));
    for (const name of abandoned) await rm(join(root, name), { force: true });
    return abandoned.length;
  }

  return { create, sweep, sweepAbandoned };
}

function ownerOf(name: string): string {
  return name.slice(0, name.indexOf('.'));
}

/** Removes a staged file. No-op if it was moved into a blob store. */
export async function discardStagedFile(file: StagedFile): Promise<void> {
  await rm(file.path, { force: true });
}

/**
 * Gathers small chunks, such as a socket's, because each write costs a round trip to a thread: one
 * buffer is filled and hashed while the other one is written.
 */
function createWriter(path: string, handle: FileHandle, buffers: BufferPool): StagingWriter {
  const hash: Hash = createHash('sha256');
  let filling = buffers.take();
  let filled = 0;
  let spare: Buffer | null = null;
  let writing: Promise<void> = Promise.resolve();
  let written = 0;
  let bytes = 0;
  let head: Buffer = Buffer.alloc(0);
  let finished: Promise<StagedFile> | undefined;
  let discarded: Promise<void> | undefined;

  async function write(chunk: Uint8Array): Promise<void> {
    if (finished || discarded) throw new TypeError('The staged file is already finished.');
    if (chunk.byteLength === 0) return;
    bytes += chunk.byteLength;
    head = first(head, chunk);
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + STEP_BYTES - filled);
      filling.set(part, filled);
      filled += part.byteLength;
      at += part.byteLength;
      if (filled === STEP_BYTES) await flush();
    }
  }

  async function flush(): Promise<void> {
    await writing;
    const full = filling;
    const step = full.subarray(0, filled);
    const position = written;
    writing = refused('write', () => writeAll(handle, step, position));
    // Handled when awaited, if at all.
    writing.catch(() => undefined);
    hash.update(step);
    written += filled;
    filled = 0;
    filling = spare ?? buffers.take();
    spare = full;
  }

  async function close(): Promise<StagedFile> {
    try {
      if (filled > 0) await flush();
      await writing;
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
    // Some file systems report a full disk only here.
    await refused('close', () => handle.close());
    giveBuffersBack();
    return { path, bytes, sha256: hash.digest('hex'), head };
  }

  /** Call when nothing reads or writes them anymore. */
  function giveBuffersBack(): void {
    buffers.giveBack(filling);
    if (spare) buffers.giveBack(spare);
  }

  async function remove(): Promise<void> {
    await (finished ?? handle.close()).catch(() => undefined);
    await rm(path, { force: true });
  }

  return {
    write,
    get bytes() {
      return bytes;
    },
    finish() {
      if (discarded) return Promise.reject(new TypeError('The staged file was discarded.'));
      finished ??= close();
      return finished;
    },
    discard() {
      discarded ??= remove();
      return discarded;
    },
  };
}

/** Repeats short writes (POSIX write(2)). */
async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < chunk.byteLength) {
    const { bytesWritten } = await handle.write(
      chunk,
      done,
      chunk.byteLength - done,
      position + done,
    );
    done += bytesWritten;
  }
}

function first(head: Buffer, chunk: Uint8Array): Buffer {
  if (head.length >= HEAD_BYTES) return head;
  return Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
}

async function refused<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new StorageError(`The disk failed to ${doing} a staged file (${code}).`, {
      cause: error,
    });
  }
}

function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
