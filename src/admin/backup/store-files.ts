import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory, syncDirectory, syncFile } from '../../config/data-dir/durable-files.ts';
import { blobKey } from '../../images/storage/blob-key.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import { type Contents, forEachOf, type ImageRef, isMissing } from './contents.ts';
import type { Progress } from './progress.ts';
import { writePieces } from './write-backup.ts';

export interface StoredFiles {
  /** Stored now, or there before. */
  readonly images: number;
  readonly bytes: number;
  /** One sentence for each image that is missing or damaged in the contents. */
  readonly faults: readonly string[];
  /** Attempts whose raw responses are in the blob store. */
  readonly storedAnswers: readonly string[];
}

/**
 * Copies the images and raw responses of the contents to a blob store and DATA_DIR. Removes nothing:
 * what is there already stays, and an interrupted call can be repeated.
 */
export async function storeFiles(options: {
  contents: Contents;
  blobs: BlobStore;
  dataDir: string;
  progress: Progress;
  signal: AbortSignal;
}): Promise<StoredFiles> {
  const { contents, blobs, dataDir, progress, signal } = options;
  // On the file system of the blobs, since the store renames what it gets.
  const staging = join(dataDir, 'restore.tmp');
  await rm(staging, { recursive: true, force: true });
  await makeDirectory(staging);
  const total = contents.tables.find(({ name }) => name === 'Image')?.rows ?? 0;
  const faults: string[] = [];
  let [images, bytes, done] = [0, 0, 0];

  async function store(image: ImageRef): Promise<void> {
    const key = blobKey(image);
    const fault = (await blobs.size(key)) === image.bytes ? null : await copyImage(key, image);
    if (fault === null) {
      images += 1;
      bytes += image.bytes;
    } else faults.push(fault);
    done += 1;
    progress('images', done, total);
  }

  /** Returns what is wrong with it. */
  async function copyImage(key: string, image: ImageRef): Promise<string | null> {
    const path = join(staging, randomUUID());
    try {
      const { sha256 } = await writePieces(path, contents.image(image));
      if (sha256 !== image.sha256) return `The image ${key} is damaged.`;
      await blobs.put(key, path);
      return null;
    } catch (error) {
      if (!isMissing(error)) throw error;
      return `The image ${key} is missing.`;
    } finally {
      await rm(path, { force: true });
    }
  }

  try {
    await forEachOf(contents.images(), signal, store);
    const storedAnswers = await storeAnswers({ contents, blobs, dataDir, staging });
    return { images, bytes, faults, storedAnswers };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function storeAnswers(options: {
  contents: Contents;
  blobs: BlobStore;
  dataDir: string;
  staging: string;
}): Promise<readonly string[]> {
  const { contents, blobs, dataDir, staging } = options;
  const stored: string[] = [];
  for await (const answer of contents.answers()) {
    const path = join(staging, answer.attemptId);
    await writePieces(path, contents.answer(answer));
    if (answer.place === 'stored') {
      await blobs.put(`answers/${answer.attemptId}`, path);
      stored.push(answer.attemptId);
    } else {
      await makeDirectory(join(dataDir, 'answers'));
      await moveDurably(path, join(dataDir, 'answers', answer.attemptId));
    }
  }
  return stored;
}

/** Replaces `to`. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await syncFile(from);
  await rename(from, to);
  await syncDirectory(dirname(to));
}
