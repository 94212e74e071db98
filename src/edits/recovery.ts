import type { PrismaClient } from '../database/database.ts';
import type { Upstreams } from '../edits-api/upstreams.ts';
import { EditErrorCode, EditsApiError, StorageError } from '../errors.ts';
import type { Staging } from '../images/staging.ts';
import type { Log } from '../log.ts';
import type { StorageAccess } from '../storage-access.ts';
import type { AnswerFiles } from './answer-files.ts';
import type { Attempts, OpenAttempt } from './attempts.ts';
import type { RunEdit } from './run-edit.ts';
import type { WorkerPresence } from './workers.ts';

/** A dead process is known after its timeout and at most two of these. */
const LOOKS_PER_TIMEOUT = 3;

/**
 * Ends the attempts whose process is surely gone: from the saved answer where there is one, else as
 * an unknown outcome. Never sends anything. Removes the files that such a process was receiving.
 */
export interface Recovery {
  /** Looks at once, and then three times in a worker's timeout. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

type AbandonedAttempt = OpenAttempt & { readonly upstream: string | null };

export function createRecovery(options: {
  prisma: PrismaClient;
  attempts: Attempts;
  runEdit: RunEdit;
  upstreams: Upstreams;
  presence: WorkerPresence;
  answerFiles: AnswerFiles;
  staging: Staging;
  storageAccess: StorageAccess;
  workerTimeoutMs: number;
  log: Log;
}): Recovery {
  const { prisma, attempts, runEdit, upstreams, presence, answerFiles, staging } = options;
  const { storageAccess } = options;
  const intervalMs = options.workerTimeoutMs / LOOKS_PER_TIMEOUT;
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();

  async function recoverAll(): Promise<void> {
    const gone = await presence.findGone();
    const abandoned = await prisma.$queryRaw<AbandonedAttempt[]>`
      SELECT
        job.id, job."ownerId", job.model,
        attempt.id AS "attemptId", attempt."sentAt", attempt.upstream
      FROM "EditAttempt" AS attempt
      JOIN "EditJob" AS job ON job.id = attempt."jobId"
      WHERE attempt.state = 'SENT'
        AND (attempt."workerId" IS NULL OR attempt."workerId"::text = ANY(${[...gone]}))`;
    for (const attempt of abandoned) {
      if (stopping.signal.aborted) return;
      const log = options.log.child({ jobId: attempt.id, attemptId: attempt.attemptId });
      // One whose pictures cannot be stored now must not keep the others waiting.
      await recover(attempt, log).catch((error) =>
        log.error({ err: error }, 'an attempt cannot be recovered now'),
      );
    }
    await presence.strikeOff(gone);
    const removed = await staging.sweepAbandoned(presence.list);
    if (removed > 0) options.log.info({ removed }, 'removed what dead processes were receiving');
  }

  async function recover(attempt: AbandonedAttempt, log: Log): Promise<void> {
    const { attemptId } = attempt;
    if (await answerFiles.hasBytes(attemptId)) {
      // Each would wait for itself until the storage is given up.
      if (!(await storageAccess.check())) throw new StorageError('The storage cannot be used.');
      try {
        const path = answerFiles.pathOf(attemptId);
        const answer = await upstreams.named(attempt.upstream).readSaved(path, stopping.signal);
        await runEdit.finish(attempt, answer);
        return;
      } catch (error) {
        if (!(error instanceof EditsApiError)) throw error;
        log.warn({ err: error }, 'the saved answer is of no use');
      }
    }
    const failure = {
      code: EditErrorCode.ABORTED,
      message:
        'The server stopped after the request had gone out, and before the answer came: it may have been paid.',
      httpStatus: null,
      upstreamRequestId: null,
    };
    const ended = await attempts.fail(attempt, failure, { unknown: true });
    await answerFiles.removeIfEmpty(attemptId);
    if (ended) log.warn('an attempt whose process is gone has an unknown outcome');
  }

  /** The next look is counted from the end of this one: see WorkerPresence.findGone. */
  async function look(): Promise<void> {
    await recoverAll().catch((error) => options.log.error({ err: error }, 'recovery failed'));
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => {
      looking = look();
    }, intervalMs);
  }

  return {
    async start() {
      looking = look();
      await looking;
    },
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await looking;
    },
  };
}
