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
import type { EndEdit } from '../end/end-edit.ts';
import { inHistory } from '../history/in-history.ts';
import type { StoredAnswers } from './stored-answers.ts';

/** Responses that one process reads at once. */
const MAX_AT_ONCE = 4;
const RETRY_AFTER_SECONDS = 10;

/**
 * Reads the stored response of an edit again, which had no readable image when it arrived. Sends
 * nothing to the upstream. Moves the edit from OUTCOME_UNKNOWN to SUCCEEDED, once, whoever comes first.
 * @throws NotFoundError; JobNotRereadableError in any other status; AnswerNotFoundError if no response
 * is stored; AnswerUnreadableError if it still has no usable image: the edit stays as it is then;
 * UnavailableError if too many are being read; StorageError.
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
  endEdit: EndEdit;
  /** The reader of an upstream, by its name in the configuration. */
  readerOf: (upstream: string) => ReadSaved;
  /** Called after an edit has succeeded. */
  onSucceeded: (jobId: string) => Promise<void>;
  log: Log;
}): RereadAnswer {
  const { prisma, images, storedAnswers, endEdit, readerOf, onSucceeded, log } = options;
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
      // Removed since `open` found it.
      if (isMissing(error)) throw new AnswerNotFoundError();
      throw error;
    }
  }

  /** False if it is no longer OUTCOME_UNKNOWN, or deleted. */
  async function store(job: Found, answer: Awaited<ReturnType<ReadSaved>>): Promise<boolean> {
    const { id: jobId, ownerId, model, attempt } = job;
    await images.keep(ownerId, answer.images);
    const head = {
      httpStatus: attempt.httpStatus ?? answer.httpStatus,
      upstreamRequestId: attempt.upstreamRequestId ?? answer.upstreamRequestId,
    };
    return endEdit({
      jobId,
      ownerId,
      from: 'OUTCOME_UNKNOWN',
      attemptId: attempt.id,
      outcome: {
        status: 'SUCCEEDED',
        model,
        sentAt: attempt.sentAt,
        answer: { ...answer, ...head },
        outputs: answer.images,
      },
    });
  }

  async function reread(viewer: Viewer, id: string, signal: AbortSignal): Promise<void> {
    const job = await find(viewer, id);
    let received: readonly ReceivedImage[] = [];
    try {
      const answer = await read(job, signal);
      received = answer.images;
      if (!(await store(job, answer))) {
        // Another reread, or a deletion, was faster: throws the error for the status as it is now.
        await find(viewer, id);
        throw new AnswerNotFoundError();
      }
    } finally {
      await Promise.all(received.map(({ staged }) => discardStagedFile(staged)));
    }
    log.info({ jobId: id, images: received.length }, 'edit succeeded from its stored response');
    await onSucceeded(id);
    await storedAnswers
      .remove(job.attempt.id)
      .catch((error) => log.warn({ err: error, jobId: id }, 'stored response not removed'));
  }

  return async (viewer, id, signal) => {
    if (reading >= MAX_AT_ONCE) {
      const message = `${MAX_AT_ONCE} stored responses are being read: try again in ${RETRY_AFTER_SECONDS} seconds.`;
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
