import { validate as isUuid } from 'uuid';
import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { Log } from '../../log.ts';
import { defineJob } from '../../queue/queue.ts';
import type { AnswerFiles } from './answer-files.ts';

/** Of the keys of raw responses; those of images begin with 32 hex digits. */
const PREFIX = 'answers/';
const DAY_MS = 24 * 60 * 60 * 1_000;

/** How many are removed by one statement. */
const BATCH = 500;

/**
 * Raw responses without a readable image that may have been paid for. They are in the blob store, so
 * that any process can read them again, until they are too old or their edit is deleted.
 */
export interface StoredAnswers {
  /** The response's bytes; null if it is no longer there. @throws StorageError while it is read */
  open(attemptId: string): Promise<AsyncIterable<Buffer> | null>;
  /** No-op if it is not there. @throws StorageError */
  remove(attemptId: string): Promise<void>;
  /** Removes those that are too old. Returns how many. @throws StorageError */
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
 * Moves the raw response of an attempt from this machine's disk to the blob store, where any process
 * can read it. No-op if not a byte arrived. @throws StorageError: it stays on the disk.
 */
export type StoreAnswer = (
  attemptId: string,
  options?: {
    /** A process may have crashed after the move, and before it was recorded. @default false */
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

export const SWEEP_ANSWERS_EVERY_SECONDS = 60 * 60;

/** Removes stored responses that are too old. */
export const SWEEP_ANSWERS = defineJob<Record<string, never>>('sweep-answers', {
  retryLimit: 2,
  retryDelay: 60,
  heartbeatSeconds: 30,
  expireInSeconds: 60 * 60,
  deleteAfterSeconds: 24 * 60 * 60,
});

export function createSweepAnswers(options: { storedAnswers: StoredAnswers; log: Log }) {
  const { storedAnswers, log } = options;
  return async (_: object, signal: AbortSignal): Promise<void> => {
    const removed = await storedAnswers.sweep(signal);
    if (removed > 0) log.info({ removed }, 'removed expired responses');
  };
}
