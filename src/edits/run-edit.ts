import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { EditsApi, EditsApiAnswer } from '../edits-api/edits-api.ts';
import { EditErrorCode, EditsApiError } from '../errors.ts';
import type { BlobStore } from '../images/blob-store.ts';
import { discardStagedFile } from '../images/fs-staging.ts';
import type { Images } from '../images/images.ts';
import type { Log } from '../log.ts';
import type { Attempts, ClaimedJob, Failure, OpenAttempt } from './attempts.ts';
import { toRequest } from './edit-request.ts';
import { inspectOutputs } from './outputs.ts';
import type { PartialImages } from './partial-images.ts';
import { nextAttemptAt, type RetryPolicy } from './retry-policy.ts';
import type { RunningEdits } from './running-edits.ts';

/** Between two tries to write down what an attempt brought, in milliseconds. */
const PERSIST_RETRY_MS = 1_000;

/**
 * Runs queued edits: for each attempt at most one POST, whatever happens, and what it brought is
 * written down however long the database or the disk is away.
 */
export interface RunEdit {
  /**
   * Resolves when the attempt's end is committed, or at once when the job is not queued any more.
   * Aborting `signal` ends the call to the edits API, its outcome unknown.
   */
  run(data: { jobId: string }, signal: AbortSignal): Promise<void>;
  /** Stores what an attempt brought. @throws EditsApiError when a picture is broken. */
  finish(
    attempt: OpenAttempt,
    answer: EditsApiAnswer,
    options: { signal: AbortSignal },
  ): Promise<void>;
}

export function createRunEdit(options: {
  attempts: Attempts;
  runningEdits: RunningEdits;
  images: Images;
  partialImages: PartialImages;
  blobs: BlobStore;
  editsApi: EditsApi;
  workerId: string;
  /** Where raw answers lie until their pictures are stored, by the attempt's id. */
  answersDir: string;
  timeoutMs: number;
  retryPolicy: RetryPolicy;
  log: Log;
  /** Told after an edit has succeeded; what it rejects with is logged. */
  onSucceeded: (jobId: string) => Promise<void>;
}): RunEdit {
  const { attempts, runningEdits, images, partialImages, blobs, editsApi, workerId } = options;
  const { answersDir, timeoutMs, retryPolicy, onSucceeded } = options;

  async function run({ jobId }: { jobId: string }, stopping: AbortSignal): Promise<void> {
    const job = await attempts.claim(jobId, workerId);
    if (job === null) return;
    const log = options.log.child({ jobId, attemptId: job.attemptId });
    using tracked = runningEdits.track(jobId, stopping);
    try {
      log.info({ model: job.model, attempt: job.attemptNumber }, 'edit sent');
      const partials = partialImages.begin(job, log);
      const answer = await editsApi
        .edit(toRequest(job, blobs), {
          signal: tracked.signal,
          timeoutMs,
          rawAnswerPath: join(answersDir, job.attemptId),
          onPartialImage: partials.take,
        })
        .finally(partials.settled);
      await finish(job, answer, { signal: stopping });
    } catch (error) {
      // The answer is saved: the next start finishes from it.
      if (error instanceof StoppedError) throw error;
      await settle(job, error, stopping, log);
    }
  }

  async function finish(
    attempt: OpenAttempt,
    answer: EditsApiAnswer,
    { signal }: { signal: AbortSignal },
  ): Promise<void> {
    const log = options.log.child({ jobId: attempt.id, attemptId: attempt.attemptId });
    const outputs = await inspectOutputs(answer);
    const isMine = await persist(log, signal, async () => {
      await images.keep(attempt.ownerId, outputs, { durable: true });
      return attempts.succeed(attempt, answer, outputs);
    });
    await Promise.all(outputs.map(({ staged }) => discardStagedFile(staged)));
    await removeAnswer(attempt, log);
    if (!isMine) return log.info('the edit had ended before its answer was stored');
    log.info({ images: outputs.length }, 'edit succeeded');
    await onSucceeded(attempt.id).catch((error) => log.warn({ err: error }, 'after success'));
  }

  /** Writes down why an attempt brought nothing, and whether it is tried again. */
  async function settle(
    job: ClaimedJob,
    error: unknown,
    signal: AbortSignal,
    log: Log,
  ): Promise<void> {
    const failure = toFailure(error);
    const isMine = await persist(log, signal, () => {
      const again = failure.outcome === 'not_processed' ? retryAt(job, error) : null;
      return again === null
        ? attempts.fail(job, failure, { unknown: failure.outcome === 'unknown' })
        : attempts.requeue(job, failure, again);
    });
    const { code, outcome } = failure;
    if (outcome !== 'unknown') await removeAnswer(job, log);
    if (isMine) log.warn({ err: error, code, outcome }, 'attempt failed');
    else log.info({ code, outcome }, 'the edit had ended before its attempt');
  }

  async function removeAnswer({ attemptId }: OpenAttempt, log: Log): Promise<void> {
    await rm(join(answersDir, attemptId), { force: true }).catch((error) =>
      log.warn({ err: error }, 'raw answer not removed'),
    );
  }

  function retryAt(job: ClaimedJob, error: unknown): Date | null {
    const retryAfterSeconds = error instanceof EditsApiError ? error.retryAfterSeconds : null;
    const { attemptNumber, createdAt } = job;
    return nextAttemptAt(
      retryPolicy,
      { attempts: attemptNumber, createdAt, retryAfterSeconds },
      new Date(),
    );
  }

  return { run, finish };
}

/** A stop came before it could be written down how an attempt ended. */
class StoppedError extends Error {}

/**
 * Tries until it is done: an answer that was paid for must not be lost because the database is away
 * or the disk is full.
 * @throws StoppedError when a stop comes first.
 */
async function persist<Result>(
  log: Log,
  stopping: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      log.error({ err: error }, 'cannot write down how an attempt ended');
      await delay(PERSIST_RETRY_MS, undefined, { signal: stopping }).catch(() => {
        throw new StoppedError('stopped before the end of an attempt was written down', {
          cause: error,
        });
      });
    }
  }
}

function toFailure(error: unknown): Failure & Pick<EditsApiError, 'outcome'> {
  if (error instanceof EditsApiError) {
    const { code, message, outcome, httpStatus, upstreamRequestId } = error;
    return { code, message, outcome, httpStatus, upstreamRequestId };
  }
  return {
    code: EditErrorCode.INTERNAL,
    message: 'Something failed on this server; its log has the reason under the edit’s id.',
    // Whatever it was, it may have come after the call.
    outcome: 'unknown',
    httpStatus: null,
    upstreamRequestId: null,
  };
}
