import { validate as isUuid } from 'uuid';
import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { AnswerFiles } from './answer-files.ts';

/** Blobs of answers; those of images begin with 32 hex digits. */
const PREFIX = 'answers/';
const DAY_MS = 24 * 60 * 60 * 1_000;

/** How many are forgotten in one statement. */
const BATCH = 500;

/**
 * Raw answers that may have been paid for and of which no image could be read. They are in the blob
 * store, so that any process can read them again, until they are too old or their edit is deleted.
 */
export interface StoredAnswers {
  /** The answer's bytes; null when it is not there any more. @throws StorageError while it is read */
  open(attemptId: string): Promise<AsyncIterable<Buffer> | null>;
  /** A no-op when it is not there. @throws StorageError */
  remove(attemptId: string): Promise<void>;
  /** Removes those that are too old. Answers how many. @throws StorageError */
  sweep(signal: AbortSignal): Promise<number>;
}

export function createStoredAnswers(options: {
  prisma: PrismaClient;
  blobs: BlobStore;
  maxAgeDays: number;
  /** @default Date.now */
  now?: () => number;
}): StoredAnswers {
  const { prisma, blobs, maxAgeDays, now = Date.now } = options;

  async function remove(keys: readonly string[]): Promise<void> {
    const ids = keys.map((key) => key.slice(PREFIX.length));
    await ofAllOwners(prisma).editAttempt.updateMany({
      where: { id: { in: ids.filter((id) => isUuid(id)) } },
      data: { answerStoredAt: null },
    });
    for (const key of keys) await blobs.delete(key);
  }

  return {
    async open(attemptId) {
      const key = storedKey(attemptId);
      return (await blobs.size(key)) === null ? null : blobs.read(key);
    },
    remove: (attemptId) => blobs.delete(storedKey(attemptId)),
    async sweep(signal) {
      const oldestMs = now() - maxAgeDays * DAY_MS;
      let old: string[] = [];
      let removed = 0;
      for await (const { key, modifiedAt } of blobs.list({ after: PREFIX })) {
        if (!key.startsWith(PREFIX)) break;
        if (modifiedAt.getTime() <= oldestMs) old.push(key);
        if (old.length < BATCH) continue;
        signal.throwIfAborted();
        await remove(old);
        removed += old.length;
        old = [];
      }
      await remove(old);
      return removed + old.length;
    },
  };
}

const storedKey = (attemptId: string) => `${PREFIX}${attemptId}`;

/**
 * Moves the raw answer of an attempt from this machine's disk to where any process can read it. A
 * no-op when nothing of an answer came. @throws StorageError: it stays on the disk.
 */
export type StoreAnswer = (
  attemptId: string,
  options?: {
    /** A process may have died between moving it and noting that. @default false */
    mayBeMoved: boolean;
  },
) => Promise<void>;

export function createStoreAnswer(options: {
  prisma: PrismaClient;
  blobs: BlobStore;
  answerFiles: AnswerFiles;
}): StoreAnswer {
  const { prisma, blobs, answerFiles } = options;
  return async (attemptId, { mayBeMoved } = { mayBeMoved: false }) => {
    const key = storedKey(attemptId);
    if (await answerFiles.hasBytes(attemptId)) {
      await blobs.put(key, answerFiles.pathOf(attemptId));
    } else {
      await answerFiles.removeIfEmpty(attemptId);
      if (!mayBeMoved || (await blobs.size(key)) === null) return;
    }
    await ofAllOwners(prisma).editAttempt.updateMany({
      where: { id: attemptId },
      data: { answerStoredAt: new Date() },
    });
  };
}
