import type { Viewer } from '../../auth/viewer.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { ReadSaved } from '../../edits-api/edits-api.ts';
import { EditsApiError } from '../../edits-api/edits-api-error.ts';
import {
  AnswerNotFoundError,
  AnswerUnreadableError,
  JobNotRereadableError,
  NotFoundError,
  UnavailableError,
} from '../../errors.ts';
import type { Images, ReceivedImage } from '../../images/images.ts';
import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { Log } from '../../log.ts';
import type { RecordSuccess } from '../end/record-success.ts';
import { inHistory } from '../history/in-history.ts';
import type { StoredAnswers } from './stored-answers.ts';

/** Answers that one process reads at once. */
const MAX_AT_ONCE = 4;
const RETRY_AFTER_SECONDS = 10;

/**
 * Reads the stored answer of an edit again, of which no image could be read when it came. Sends
 * nothing to the edits API. From OUTCOME_UNKNOWN to SUCCEEDED, once, whoever comes first.
 * @throws NotFoundError; JobNotRereadableError in any other status; AnswerNotFoundError when no answer
 * is stored; AnswerUnreadableError when it still has no image that can be used: the edit stays as it
 * is; UnavailableError when too many are being read; StorageError.
 */
export type RereadAnswer = (
  viewer: Viewer,
  id: string,
  signal: AbortSignal,
) => Promise<{ id: string }>;

export function createRereadAnswer(options: {
  prisma: PrismaClient;
  images: Images;
  storedAnswers: StoredAnswers;
  recordSuccess: RecordSuccess;
  /** Of an edits API by its name in the configuration; null: any. */
  readerOf: (upstream: string) => ReadSaved;
  /** Told after an edit has succeeded. */
  onSucceeded: (jobId: string) => Promise<void>;
  log: Log;
}): RereadAnswer {
  const { prisma, images, storedAnswers, recordSuccess, readerOf, onSucceeded, log } = options;
  let reading = 0;

  async function find(viewer: Viewer, id: string) {
    const job = await prisma.editJob.findFirst({
      where: { id, ...inHistory(viewer) },
      select: {
        id: true,
        ownerId: true,
        status: true,
        model: true,
        n: true,
        attempts: {
          where: { state: 'UNKNOWN' },
          orderBy: { number: 'desc' },
          take: 1,
          select: {
            id: true,
            upstream: true,
            sentAt: true,
            httpStatus: true,
            upstreamRequestId: true,
          },
        },
      },
    });
    if (job === null) throw new NotFoundError('EditJob', id);
    const [attempt] = job.attempts;
    if (job.status !== 'OUTCOME_UNKNOWN') throw new JobNotRereadableError(job.status);
    if (attempt === undefined) throw new AnswerNotFoundError();
    return { ...job, attempt };
  }
  type Found = Awaited<ReturnType<typeof find>>;

  async function read({ n, attempt }: Found, signal: AbortSignal) {
    const bytes = await storedAnswers.open(attempt.id);
    if (bytes === null) throw new AnswerNotFoundError();
    try {
      return await readerOf(attempt.upstream)({ bytes, expectedImages: n, signal });
    } catch (error) {
      if (error instanceof EditsApiError) throw new AnswerUnreadableError(error.message);
      // Removed since it was looked for.
      if (isMissing(error)) throw new AnswerNotFoundError();
      throw error;
    }
  }

  /** False: it is not OUTCOME_UNKNOWN any more, or deleted. */
  async function store(job: Found, answer: Awaited<ReturnType<ReadSaved>>): Promise<boolean> {
    const { id, attempt } = job;
    await images.keep(job.ownerId, answer.images);
    const head = {
      httpStatus: attempt.httpStatus ?? answer.httpStatus,
      upstreamRequestId: attempt.upstreamRequestId ?? answer.upstreamRequestId,
    };
    return prisma.$transaction((tx) =>
      recordSuccess(
        tx,
        { ...job, sentAt: attempt.sentAt },
        { ...answer, ...head },
        answer.images,
        async (_, attemptData, jobData) => {
          const noError = { errorCode: null, errorMessage: null };
          // First the job, as those do who delete it: they cannot deadlock.
          const { count } = await tx.editJob.updateMany({
            where: { id, status: 'OUTCOME_UNKNOWN', deletedAt: null },
            data: { ...jobData, ...noError },
          });
          if (count === 0) return false;
          await tx.editAttempt.updateMany({
            where: { id: attempt.id },
            data: { ...attemptData, ...noError, answerStoredAt: null },
          });
          return true;
        },
      ),
    );
  }

  async function reread(viewer: Viewer, id: string, signal: AbortSignal): Promise<void> {
    const job = await find(viewer, id);
    let received: readonly ReceivedImage[] = [];
    try {
      const answer = await read(job, signal);
      received = answer.images;
      if (!(await store(job, answer))) {
        // Somebody else was faster: what is found now is not to be reread.
        await find(viewer, id);
        throw new AnswerNotFoundError();
      }
    } finally {
      await Promise.all(received.map(({ staged }) => discardStagedFile(staged)));
    }
    log.info({ jobId: id, images: received.length }, 'edit succeeded from its stored answer');
    await onSucceeded(id);
    await storedAnswers
      .remove(job.attempt.id)
      .catch((error) => log.warn({ err: error, jobId: id }, 'stored answer not removed'));
  }

  return async (viewer, id, signal) => {
    if (reading >= MAX_AT_ONCE) {
      const message = `${MAX_AT_ONCE} stored answers are being read: try again in ${RETRY_AFTER_SECONDS} seconds.`;
      throw new UnavailableError(message, RETRY_AFTER_SECONDS);
    }
    reading += 1;
    try {
      await reread(viewer, id, signal);
      return { id };
    } finally {
      reading -= 1;
    }
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
