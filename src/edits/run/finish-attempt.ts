import type { EditsApiAnswer } from '../../edits-api/edits-api.ts';
import { EditsApiError } from '../../edits-api/edits-api-error.ts';
import type { Upstream, Upstreams } from '../../edits-api/upstreams.ts';
import type { Images } from '../../images/images.ts';
import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { Log } from '../../log.ts';
import type { Traces } from '../../telemetry/traces.ts';
import type { AnswerFiles } from './answer-files.ts';
import { toFailure } from './attempt-failure.ts';
import type { Attempts, OpenAttempt } from './attempts.ts';
import type { ClaimedJob } from './claim-edit.ts';
import { countAttempts, nextAttemptAt, type RetryPolicy } from './retry-policy.ts';
import type { Pauses } from './upstream-pauses.ts';

/** A job with a failed attempt, and what decides whether there is another. */
export type FailedJob = OpenAttempt &
  Pick<ClaimedJob, 'createdAt' | 'turn'> & {
    readonly upstream: Pick<Upstream, 'name'>;
    /** All of them, this one included. */
    readonly attempts: readonly Pick<
      ClaimedJob['attempts'][number],
      'id' | 'errorCode' | 'upstream'
    >[];
  };

/** Ends attempts, each call in one try: if it rejects, it can be called again. */
export interface FinishAttempt {
  /** Stores the images of a response and ends the attempt. False: it had ended already. */
  store(attempt: OpenAttempt, answer: EditsApiAnswer): Promise<boolean>;
  /** After `store`: removes staged and raw files. */
  cleanUp(
    attempt: OpenAttempt,
    answer: EditsApiAnswer,
    options: { isStored: boolean },
  ): Promise<void>;
  /** Both; if it rejects, no staged file is left. */
  succeed(attempt: OpenAttempt, answer: EditsApiAnswer): Promise<void>;
  /**
   * Ends an attempt that met `error`: the job fails, its outcome is unknown, or it waits for its next
   * attempt. False: the attempt had ended already.
   */
  fail(job: FailedJob, error: unknown): Promise<boolean>;
}

export function createFinishAttempt(options: {
  attempts: Attempts;
  images: Images;
  answerFiles: AnswerFiles;
  pauses: Pauses;
  upstreams: Upstreams;
  retryPolicy: RetryPolicy;
  traces: Traces;
  log: Log;
  /** Called after an edit has succeeded. */
  onSucceeded: (jobId: string) => void;
}): FinishAttempt {
  const { attempts, images, answerFiles, pauses, upstreams, retryPolicy, onSucceeded } = options;
  const { traces } = options;

  async function store(attempt: OpenAttempt, answer: EditsApiAnswer): Promise<boolean> {
    await traces.span('store images', {}, () => images.keep(attempt.ownerId, answer.images));
    return traces.span('end edit', {}, () => attempts.succeed(attempt, answer, answer.images));
  }

  async function cleanUp(
    attempt: OpenAttempt,
    answer: EditsApiAnswer,
    { isStored }: { isStored: boolean },
  ): Promise<void> {
    const log = options.log.child({ jobId: attempt.id, attemptId: attempt.attemptId });
    await discardAll(answer);
    await removeAnswerFile(answerFiles, attempt, log);
    // By a cancellation, for example.
    if (!isStored) return log.info('the edit had ended before its images were stored');
    log.debug({ images: answer.images.length }, 'edit succeeded');
    onSucceeded(attempt.id);
  }

  /** When a request that was certainly not processed is sent again; null: never. */
  function retryAt(job: FailedJob, error: EditsApiError, pausedUntil: Date | null): Date | null {
    const { code, retryAfterSeconds } = error;
    const before = job.attempts.filter(({ id }) => id !== job.attemptId);
    const count = countAttempts([...before.map(({ errorCode }) => errorCode), code]);
    // An upstream that has not had this job yet takes it at once.
    const tried = new Set([...before.map(({ upstream }) => upstream), job.upstream.name]);
    const isUntried = upstreams.serving(job.model).some(({ name }) => !tried.has(name));
    if (isUntried && count < retryPolicy.maxAttempts) return new Date();
    const { createdAt } = job;
    const failed = { attempts: count, createdAt, retryAfterSeconds, pausedUntil };
    return nextAttemptAt(retryPolicy, failed, new Date());
  }

  return {
    store,
    cleanUp,
    async succeed(attempt, answer) {
      try {
        await cleanUp(attempt, answer, { isStored: await store(attempt, answer) });
      } finally {
        await discardAll(answer);
      }
    },
    async fail(job, error) {
      const { outcome, ...failure } = toFailure(error);
      const unknown = outcome === 'unknown';
      const end = () => traces.span('end edit', {}, () => attempts.fail(job, failure, { unknown }));
      if (!(error instanceof EditsApiError)) return end();
      const pausedUntil = await pauses.consider(job.upstream.name, error);
      const again = outcome === 'not_processed' ? retryAt(job, error, pausedUntil) : null;
      if (again === null) return end();
      return traces.span('requeue edit', {}, () => attempts.requeue(job, failure, again));
    },
  };
}

/** Its images are stored, or it has none. */
export async function removeAnswerFile(
  answerFiles: AnswerFiles,
  { attemptId }: Pick<OpenAttempt, 'attemptId'>,
  log: Log,
): Promise<void> {
  await answerFiles
    .remove(attemptId)
    .catch((error) => log.warn({ err: error }, 'raw response not removed'));
}

async function discardAll({ images }: EditsApiAnswer): Promise<void> {
  await Promise.all(images.map(({ staged }) => discardStagedFile(staged)));
}
