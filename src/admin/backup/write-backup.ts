import { createHash } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory, syncTree } from '../../config/data-dir/durable-files.ts';
import { PRIVATE_DIRECTORY, PRIVATE_FILE } from '../../config/data-dir/private-directory.ts';
import { blobKey } from '../../images/storage/blob-key.ts';
import type { Progress } from '../progress.ts';
import { type Contents, type ImageRef, isMissing } from './contents.ts';
import {
  ANSWERS_DIR,
  BackupError,
  type BackupFile,
  BLOBS_DIR,
  MANIFEST,
  type Manifest,
  SECRET_KEY_FILE,
  TABLES_DIR,
  writeManifest,
} from './manifest.ts';
import { storedImages } from './stored-contents.ts';
import { tallyImages } from './tally-images.ts';

export interface WrittenBackup {
  readonly rows: number;
  readonly images: number;
  readonly bytes: number;
  /** One sentence for each image that is missing or damaged in the source. */
  readonly faults: readonly string[];
}

/**
 * Writes a backup to `dir`, which must not exist or be empty: the database first, then the files.
 * Under another name until it is complete and synced, so a backup exists completely or not at all.
 * @throws BackupError
 */
export async function writeBackup(options: {
  dir: string;
  contents: Contents;
  /** Of this release. */
  version: string;
  /** Links images that are on the same file system instead of copying them. @default false */
  linksImages?: boolean;
  progress: Progress;
  signal: AbortSignal;
}): Promise<WrittenBackup> {
  const { dir, contents, version, linksImages = false, progress, signal } = options;
  await assertFree(dir);
  const partial = `${dir}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: PRIVATE_DIRECTORY });

  const tables = await writeTables(partial, contents, progress, signal);
  // A long transaction would keep Postgres from removing old rows.
  await contents.endSnapshot?.();
  const files = await writeFiles(partial, contents);
  const tallied = await writeImages({ partial, contents, linksImages, progress, signal });

  const { createdAt, database, migrations } = contents;
  const manifest = writeManifest({
    version,
    createdAt: createdAt.toISOString(),
    database,
    migrations: [...migrations],
    tables,
    images: { count: tallied.images, bytes: tallied.bytes },
    files,
  });
  syncTree(partial);
  await writeFile(join(partial, MANIFEST), manifest, { mode: PRIVATE_FILE, flush: true });
  await syncDirectory(partial);
  // An empty directory would be in the way on some systems.
  await rm(dir, { recursive: true, force: true });
  await rename(partial, dir);
  await syncDirectory(dirname(dir));
  return {
    ...tallied,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
  };
}

async function assertFree(dir: string): Promise<void> {
  const names = await readdir(dir).catch((error) => {
    if (isMissing(error)) return [];
    if (error.code === 'ENOTDIR') return [dir];
    throw error;
  });
  if (names.length === 0) return;
  throw new BackupError(`${dir} exists and is not empty: name a new directory.`);
}

async function writeTables(
  partial: string,
  contents: Contents,
  progress: Progress,
  signal: AbortSignal,
): Promise<Manifest['tables']> {
  await mkdir(join(partial, TABLES_DIR), { mode: PRIVATE_DIRECTORY });
  const total = contents.tables.reduce((sum, { rows }) => sum + rows, 0);
  const written: Manifest['tables'] = [];
  let done = 0;
  for (const table of contents.tables) {
    const hash = createHash('sha256');
    const handle = await open(
      join(partial, TABLES_DIR, `${table.name}.ndjson`),
      'wx',
      PRIVATE_FILE,
    );
    let rows = 0;
    try {
      for await (const lines of contents.rows(table)) {
        signal.throwIfAborted();
        const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        hash.update(text);
        await handle.write(text);
        rows += lines.length;
        progress('rows', done + rows, total);
      }
    } finally {
      await handle.close();
    }
    done += rows;
    const { name, columns } = table;
    written.push({ name, columns: [...columns], rows, sha256: hash.digest('hex') });
  }
  return written;
}

/** The secret key and the raw responses, without those that are removed meanwhile. */
async function writeFiles(partial: string, contents: Contents): Promise<BackupFile[]> {
  const files: BackupFile[] = [];
  if (contents.secretKey !== null) {
    const path = join(partial, SECRET_KEY_FILE);
    files.push({
      path: SECRET_KEY_FILE,
      ...(await writePieces(path, [Buffer.from(contents.secretKey)])),
    });
  }
  for await (const answer of contents.answers()) {
    const dir = answer.place === 'received' ? ANSWERS_DIR : `${BLOBS_DIR}/answers`;
    await mkdir(join(partial, dir), { recursive: true, mode: PRIVATE_DIRECTORY });
    const path = `${dir}/${answer.attemptId}`;
    try {
      files.push({ path, ...(await writePieces(join(partial, path), contents.answer(answer))) });
    } catch (error) {
      if (!isMissing(error)) throw error;
      await rm(join(partial, path), { force: true });
    }
  }
  return files;
}

async function writeImages(options: {
  partial: string;
  contents: Contents;
  linksImages: boolean;
  progress: Progress;
  signal: AbortSignal;
}) {
  const { partial, contents, linksImages, progress, signal } = options;

  /** Returns what is wrong with it. */
  async function write(image: ImageRef): Promise<string | null> {
    const key = blobKey(image);
    const path = join(partial, BLOBS_DIR, key);
    await mkdir(dirname(path), { recursive: true, mode: PRIVATE_DIRECTORY });
    const from = linksImages ? contents.imagePath?.(image) : undefined;
    try {
      if (from === undefined || !(await isLinked(from, path))) {
        const written = await writePieces(path, contents.image(image));
        if (written.sha256 !== image.sha256) throw new DamagedError(`The image ${key} is damaged.`);
      }
      return null;
    } catch (error) {
      if (!isMissing(error) && !(error instanceof DamagedError)) throw error;
      await rm(path, { force: true });
      return error instanceof DamagedError ? error.message : `The image ${key} is missing.`;
    }
  }

  const table = contents.tables.find(({ name }) => name === 'Image');
  if (table === undefined) return { images: 0, bytes: 0, faults: [] };
  const images = storedImages(partial, table);
  return tallyImages({ images, total: table.rows, check: write, progress, signal });
}

class DamagedError extends Error {}

/** False on another file system, or on one without links. */
async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) throw error;
    return false;
  }
}

/** Writes a new file. Returns its size and hash. */
export async function writePieces(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  const handle = await open(path, 'wx', PRIVATE_FILE);
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      hash.update(piece);
      await handle.writeFile(piece);
      bytes += piece.length;
    }
  } finally {
    await handle.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}
