import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory, syncDirectory, syncFile } from '../../config/data-dir/durable-files.ts';
import { blobKey } from '../../images/storage/blob-key.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { Progress } from '../progress.ts';
import { type Contents, type ImageRef, isMissing } from './contents.ts';
import { type TalliedImages, tallyImages } from './tally-images.ts';
import { writePieces } from './write-backup.ts';

/** The images were stored now or before; a fault is one that is missing or damaged in the contents. */
export interface StoredFiles extends TalliedImages {
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

  async function store(image: ImageRef): Promise<string | null> {
    const key = blobKey(image);
    return (await blobs.size(key)) === image.bytes ? null : copyImage(key, image);
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
    const images = contents.images();
    const tallied = await tallyImages({ images, total, check: store, progress, signal });
    const storedAnswers = await storeAnswers({ contents, blobs, dataDir, staging });
    return { ...tallied, storedAnswers };
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
