import { v7 as uuid } from 'uuid';
import type { DiskSpace } from '../../config/data-dir/disk-space.ts';
import type { StorageAccess } from '../../config/data-dir/storage-access.ts';
import { EDIT_ERRORS } from '../../edits-api/edit-error-codes.ts';
import type { EditsApiAnswer } from '../../edits-api/edits-api.ts';
import { EditsApiError } from '../../edits-api/edits-api-error.ts';
import type { Upstream, Upstreams } from '../../edits-api/upstreams.ts';
import type { Images } from '../../images/images.ts';
import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { Log } from '../../log.ts';
import { persist, StoppedError } from '../end/retry-write.ts';
import type { AnswerFiles } from './answer-files.ts';
import { headOf, isOurs, toFailure } from './attempt-failure.ts';
import type { Attempts, ClaimedJob, Failure, OpenAttempt } from './attempts.ts';
import type { EditRequests } from './edit-request.ts';
import type { PartialImages } from './partial-images.ts';
import { countAttempts, nextAttemptAt, type RetryPolicy } from './retry-policy.ts';
import type { RunningEdits } from './running-edits.ts';
import type { StoreAnswer } from './stored-answers.ts';
import type { Pauses } from './upstream-pauses.ts';

/** How long an edit waits for a place for its pictures before the next look, in milliseconds. */
const STORAGE_WAIT_MS = { min: 5_000, max: 10_000 };

/**
 * Runs queued edits: for each attempt at most one POST, whatever happens, and what it brought is
 * written down however long the database or the disk is away.
 */
export interface RunEdit {
  /**
   * Resolves when the attempt's end is committed, or at once when the job is not queued any more or
   * cannot be kept now. Aborting `signal` ends the call to the edits API, its outcome unknown.
   */
  run(data: { jobId: string }, signal: AbortSignal): Promise<void>;
  /**
   * Stores what an attempt brought, in one try. @throws whatever the disk or the database threw, with
   * nothing of the answer left in staging.
   */
  finish(attempt: OpenAttempt, answer: EditsApiAnswer): Promise<void>;
  /**
   * Ends an attempt that an error has ended, in one try: the job has failed, its outcome is unknown, or
   * it waits for its next attempt. False: somebody else has ended it. @throws what the database threw
   */
  fail(job: FailedJob, error: unknown): Promise<boolean>;
}

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

export function createRunEdit(options: {
  attempts: Attempts;
  runningEdits: RunningEdits;
  images: Images;
  partialImages: PartialImages;
  requests: EditRequests;
  pauses: Pauses;
  upstreams: Upstreams;
  workerId: string;
  answerFiles: AnswerFiles;
  storeAnswer: StoreAnswer;
  diskSpace: DiskSpace;
  storageAccess: StorageAccess;
  timeoutMs: number;
  retryPolicy: RetryPolicy;
  log: Log;
  /** Told after an edit has succeeded. */
  onSucceeded: (jobId: string) => void;
}): RunEdit {
  const { attempts, runningEdits, images, partialImages, requests, pauses, upstreams } = options;
  const { workerId, answerFiles, diskSpace, storageAccess, timeoutMs, retryPolicy } = options;
  const { storeAnswer, onSucceeded } = options;

  async function run({ jobId }: { jobId: string }, stopping: AbortSignal): Promise<void> {
    const attemptId = uuid();
    const log = options.log.child({ jobId, attemptId });
    const reason = await whyNotKept();
    if (reason !== null) return postpone(jobId, reason, log);
    // Tracked before it is claimed: a cancel that comes right after it is not missed.
    const tracked = runningEdits.track(jobId, stopping);
    // In a loop, as a claim whose answer got lost may stand.
    try {
      const claim = () => attempts.claim(jobId, { workerId, attemptId });
      const job = await persist(log, stopping, claim);
      if (job !== null) await runClaimed(job, tracked.signal, stopping, log);
    } finally {
      tracked.end();
    }
  }

  async function runClaimed(
    job: ClaimedJob,
    signal: AbortSignal,
    stopping: AbortSignal,
    log: Log,
  ): Promise<void> {
    const { model, attemptNumber: attempt, upstream } = job;
    try {
      log.info({ model, attempt, upstream: upstream.name }, 'edit sent');
      const answer = await send(job, signal, stopping, log);
      const isMine = await persist(log, stopping, () => store(job, answer));
      await conclude(job, answer, isMine, log);
      await noteAccepted(job, log);
    } catch (error) {
      // The answer is saved: the next start finishes from it.
      if (error instanceof StoppedError) throw error;
      await settle(job, error, stopping, log);
    }
  }

  async function finish(attempt: OpenAttempt, answer: EditsApiAnswer): Promise<void> {
    const log = options.log.child({ jobId: attempt.id, attemptId: attempt.attemptId });
    try {
      await conclude(attempt, answer, await store(attempt, answer), log);
    } finally {
      await discardAll(answer);
    }
  }

  /**
   * One POST. An answer that came whole and found no room beside its raw bytes was paid for: it is
   * read again from them until there is.
   * @throws StoppedError when a stop breaks off what the next start can do again
   */
  async function send(
    job: ClaimedJob,
    signal: AbortSignal,
    stopping: AbortSignal,
    log: Log,
  ): Promise<EditsApiAnswer> {
    const { attemptId, n: expectedImages } = job;
    const rawAnswerPath = answerFiles.pathOf(attemptId);
    const request = await requests.prepare(job, signal);
    let isReceived = false;
    const onReceived = () => {
      isReceived = true;
      log.info('answer received, fetching its images');
    };
    try {
      const partials = partialImages.begin(job, log);
      const call = { signal, timeoutMs, rawAnswerPath, onReceived, onPartialImage: partials.take };
      return await job.upstream.edit(request, call).finally(partials.settled);
    } catch (error) {
      if (isReceived && stopping.aborted) {
        const message = 'stopped before the images of an answer were fetched';
        throw new StoppedError(message, { cause: error });
      }
      if (!isOurs(error)) throw error;
      const saved = await persist(log, stopping, () => {
        const bytes = answerFiles.bytes(attemptId);
        const reading = job.upstream.readSaved({ bytes, expectedImages, signal: stopping });
        return reading.catch((failure: unknown) => {
          // It is not whole, or not an answer: the first error says more.
          if (failure instanceof EditsApiError) return null;
          throw failure;
        });
      });
      if (saved === null) throw error;
      return { ...saved, ...headOf(error) };
    }
  }

  async function store(attempt: OpenAttempt, answer: EditsApiAnswer): Promise<boolean> {
    await images.keep(attempt.ownerId, answer.images);
    return attempts.succeed(attempt, answer, answer.images);
  }

  /** `isMine` false: somebody else, such as a cancel, has ended the attempt before. */
  async function conclude(
    attempt: OpenAttempt,
    answer: EditsApiAnswer,
    isMine: boolean,
    log: Log,
  ): Promise<void> {
    await discardAll(answer);
    await removeAnswer(attempt, log);
    if (!isMine) return log.info('the edit had ended before its answer was stored');
    log.info({ images: answer.images.length }, 'edit succeeded');
    onSucceeded(attempt.id);
  }

  async function fail(job: FailedJob, error: unknown): Promise<boolean> {
    const failure = toFailure(error);
    const { outcome } = failure;
    const pausedUntil =
      error instanceof EditsApiError ? await pauses.consider(job.upstream.name, error) : null;
    const again = outcome === 'not_processed' ? retryAt(job, failure, error, pausedUntil) : null;
    return again === null
      ? attempts.fail(job, failure, { unknown: outcome === 'unknown' })
      : attempts.requeue(job, failure, again);
  }

  /** Writes down why an attempt brought nothing, and whether it is tried again. */
  async function settle(
    job: ClaimedJob,
    error: unknown,
    signal: AbortSignal,
    log: Log,
  ): Promise<void> {
    const { code, outcome } = toFailure(error);
    // Before the end is told: whoever hears of it can read the answer again.
    if (outcome === 'unknown') await keepAnswer(job, log);
    const isMine = await persist(log, signal, () => fail(job, error));
    // A rejection of this edit is a sign that others are accepted.
    if (outcome === 'refused' && !EDIT_ERRORS[code].pausesUpstream) await noteAccepted(job, log);
    if (outcome !== 'unknown') await removeAnswer(job, log);
    if (isMine) log.warn({ err: error, code, outcome }, 'attempt failed');
    else log.info({ code, outcome }, 'the edit had ended before its attempt');
  }

  /** Null: what an edit brings can be kept, as far as can be told beforehand. */
  async function whyNotKept(): Promise<string | null> {
    if (!(await diskSpace.isEnough())) return 'the disk of DATA_DIR is nearly full';
    if (!(await storageAccess.check())) return 'the storage cannot be used';
    return null;
  }

  async function postpone(jobId: string, reason: string, log: Log): Promise<void> {
    const { min, max } = STORAGE_WAIT_MS;
    const at = new Date(Date.now() + min + Math.random() * (max - min));
    log.error(`${reason}: nothing is sent that could not be kept`);
    await attempts.postpone(jobId, at);
  }

  /** What cannot be moved now is moved by Recovery. */
  async function keepAnswer({ attemptId }: OpenAttempt, log: Log): Promise<void> {
    await storeAnswer(attemptId).catch((error) =>
      log.warn({ err: error }, 'raw answer not stored: it stays in DATA_DIR for now'),
    );
  }

  async function removeAnswer({ attemptId }: OpenAttempt, log: Log): Promise<void> {
    await answerFiles
      .remove(attemptId)
      .catch((error) => log.warn({ err: error }, 'raw answer not removed'));
  }

  async function noteAccepted({ upstream }: ClaimedJob, log: Log): Promise<void> {
    await pauses
      .accepted(upstream.name)
      .catch((error) => log.warn({ err: error }, 'recovery of an upstream not recorded'));
  }

  function retryAt(
    job: FailedJob,
    { code }: Failure,
    error: unknown,
    pausedUntil: Date | null,
  ): Date | null {
    const retryAfterSeconds = error instanceof EditsApiError ? error.retryAfterSeconds : null;
    const { createdAt } = job;
    const before = job.attempts.filter(({ id }) => id !== job.attemptId);
    const attempts = countAttempts([...before.map(({ errorCode }) => errorCode), code]);
    // Another upstream that has not had this job yet takes it at once.
    const tried = new Set([...before.map(({ upstream }) => upstream), job.upstream.name]);
    const isUntried = upstreams.serving(job.model).some(({ name }) => !tried.has(name));
    if (isUntried && attempts < retryPolicy.maxAttempts) return new Date();
    const failed = { attempts, createdAt, retryAfterSeconds, pausedUntil };
    return nextAttemptAt(retryPolicy, failed, new Date());
  }

  return { run, finish, fail };
}

async function discardAll({ images }: EditsApiAnswer): Promise<void> {
  await Promise.all(images.map(({ staged }) => discardStagedFile(staged)));
}
