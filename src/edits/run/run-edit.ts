import { v7 as uuid } from 'uuid';
import type { DiskSpace } from '../../config/data-dir/disk-space.ts';
import type { StorageAccess } from '../../config/data-dir/storage-access.ts';
import { EDIT_ERRORS } from '../../edits-api/edit-error-codes.ts';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Traces } from '../../telemetry/traces.ts';
import type { FinalEvents } from '../watch/final-events.ts';
import type { AnswerFiles } from './answer-files.ts';
import { toFailure } from './attempt-failure.ts';
import type { Attempts } from './attempts.ts';
import type { CallUpstream } from './call-upstream.ts';
import type { ClaimedJob } from './claim-edit.ts';
import { type FinishAttempt, removeAnswerFile } from './finish-attempt.ts';
import { retryUntilDone, ShutdownError } from './retry-until-done.ts';
import type { StoreAnswer } from './stored-answers.ts';
import { inTrace } from './trace-attempt.ts';
import type { Pauses } from './upstream-pauses.ts';

/** How long an edit waits before the storage is checked again. */
const STORAGE_WAIT_MS = { min: 5_000, max: 10_000 };

/**
 * Runs a queued edit: at most one POST for each attempt, whatever happens, and its result is stored
 * however long the database or the disk is away. Resolves when the end of the attempt is committed,
 * or at once if the job is no longer queued or its images could not be stored now. Aborting
 * `stopping` ends the call to the upstream, its outcome unknown.
 */
export type RunEdit = (data: { jobId: string }, stopping: AbortSignal) => Promise<void>;

interface Run {
  readonly signal: AbortSignal;
  readonly stopping: AbortSignal;
  readonly log: Log;
}

export function createRunEdit(options: {
  attempts: Attempts;
  finalEvents: FinalEvents;
  callUpstream: CallUpstream;
  finishAttempt: FinishAttempt;
  pauses: Pauses;
  processId: string;
  answerFiles: AnswerFiles;
  storeAnswer: StoreAnswer;
  diskSpace: DiskSpace;
  storageAccess: StorageAccess;
  metrics: Metrics;
  traces: Traces;
  log: Log;
}): RunEdit {
  const { attempts, finalEvents, callUpstream, finishAttempt, pauses, processId } = options;
  const { answerFiles, storeAnswer, diskSpace, storageAccess, metrics, traces } = options;

  async function runClaimed(job: ClaimedJob, run: Run): Promise<void> {
    const { model, attemptNumber: attempt, upstream } = job;
    const { stopping, log } = run;
    try {
      log.debug({ model, attempt, upstream: upstream.name }, 'edit sent');
      const answer = await callUpstream(job, run);
      const store = () => finishAttempt.store(job, answer);
      const isStored = await retryUntilDone(log, stopping, store);
      countCall(job, 'OK');
      await finishAttempt.cleanUp(job, answer, { isStored });
      await noteAccepted(job, log);
    } catch (error) {
      // The raw response is on the disk: the next start continues from it.
      if (error instanceof ShutdownError) throw error;
      await endFailed(job, error, run);
    }
  }

  /** Stores why an attempt failed, and whether there is another. */
  async function endFailed(job: ClaimedJob, error: unknown, { stopping, log }: Run): Promise<void> {
    const { code, outcome } = toFailure(error);
    const isUnknown = outcome === 'unknown';
    // Before the end is published: whoever receives that event can read the response again.
    if (isUnknown) await moveAnswer(job, log);
    const isEnded = await retryUntilDone(log, stopping, () => finishAttempt.fail(job, error));
    countCall(job, code);
    // An upstream that rejects this edit accepts others.
    if (outcome === 'refused' && !EDIT_ERRORS[code].pausesUpstream) await noteAccepted(job, log);
    if (!isUnknown) await removeAnswerFile(answerFiles, job, log);
    if (isEnded) log.info({ err: error, code, outcome }, 'attempt failed');
    else
      log.info(
        { code, outcome },
        'discarded the failure of an attempt: the edit had already ended',
      );
  }

  function countCall({ upstream }: ClaimedJob, result: string): void {
    metrics.increment('retouch_upstream_calls_total', { upstream: upstream.name, result });
  }

  /** Null if the images of an edit can be stored, as far as can be known now. */
  async function storageProblem(): Promise<string | null> {
    if (!(await diskSpace.isEnough())) return 'the disk of DATA_DIR is nearly full';
    if (!(await storageAccess.check())) return 'the storage is unavailable';
    return null;
  }

  async function postpone(jobId: string, reason: string, log: Log): Promise<void> {
    const { min, max } = STORAGE_WAIT_MS;
    const at = new Date(Date.now() + min + Math.random() * (max - min));
    log.error(`${reason}: edits are not sent while their images cannot be stored`);
    await attempts.postpone(jobId, at);
  }

  /** Recovery moves what cannot be moved now. */
  async function moveAnswer({ attemptId }: ClaimedJob, log: Log): Promise<void> {
    await storeAnswer(attemptId).catch((error) =>
      log.warn({ err: error }, 'raw response not stored: it stays in DATA_DIR for now'),
    );
  }

  async function noteAccepted({ upstream }: ClaimedJob, log: Log): Promise<void> {
    await pauses
      .accepted(upstream.name)
      .catch((error) => log.warn({ err: error }, 'recovery of an upstream not recorded'));
  }

  return async ({ jobId }, stopping) => {
    const attemptId = uuid();
    const log = options.log.child({ jobId, attemptId });
    const reason = await storageProblem();
    if (reason !== null) return postpone(jobId, reason, log);
    const ended = new AbortController();
    // Before the claim, so that a cancellation right after it is not missed.
    const stopListening = finalEvents.listen(jobId, () => ended.abort());
    try {
      // Repeated, as a claim that rejected may have been committed.
      const claim = () => attempts.claim(jobId, { processId, attemptId });
      const job = await retryUntilDone(log, stopping, claim);
      if (job === null) return;
      const signal = AbortSignal.any([stopping, ended.signal]);
      await inTrace(traces, job, () => runClaimed(job, { signal, stopping, log }));
    } finally {
      stopListening();
    }
  };
}
