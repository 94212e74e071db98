import { validate as isUuid } from 'uuid';
import type { StorageAccess } from '../../config/data-dir/storage-access.ts';
import type { PrismaClient } from '../../database/database.ts';
import { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import type { EditsApiAnswer } from '../../edits-api/edits-api.ts';
import { EditsApiError } from '../../edits-api/edits-api-error.ts';
import type { Upstreams } from '../../edits-api/upstreams.ts';
import { StorageError } from '../../errors.ts';
import type { Staging } from '../../images/storage/staging.ts';
import type { Log } from '../../log.ts';
import type { AnswerFiles } from './answer-files.ts';
import { headOf } from './attempt-failure.ts';
import type { Attempts, OpenAttempt } from './attempts.ts';
import type { WorkerPresence } from './processes.ts';
import type { FailedJob, RunEdit } from './run-edit.ts';
import type { StoreAnswer } from './stored-answers.ts';

/** A dead process is known after its timeout and at most two of these. */
const LOOKS_PER_TIMEOUT = 3;

/**
 * Ends the attempts whose process is surely gone: as the saved answer says where there is one, else
 * as an unknown outcome. Never sends anything. Removes the files that such a process was receiving.
 */
export interface Recovery {
  /** Looks at once, and then three times in a worker's timeout. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

type AbandonedAttempt = OpenAttempt & { readonly upstream: string; readonly n: number };

/** A raw answer that nobody has written to for so long is not being received, in milliseconds. */
const IDLE_MS = 15 * 60 * 1_000;

export function createRecovery(options: {
  prisma: PrismaClient;
  attempts: Attempts;
  runEdit: RunEdit;
  upstreams: Upstreams;
  presence: WorkerPresence;
  answerFiles: AnswerFiles;
  storeAnswer: StoreAnswer;
  staging: Staging;
  storageAccess: StorageAccess;
  workerTimeoutMs: number;
  log: Log;
}): Recovery {
  const { prisma, attempts, runEdit, upstreams, presence, answerFiles, staging } = options;
  const { storageAccess, storeAnswer } = options;
  const intervalMs = options.workerTimeoutMs / LOOKS_PER_TIMEOUT;
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();
  /** By attempt. Those whose answer points at pictures take minutes: nobody waits for them. */
  const recovering = new Map<string, Promise<void>>();

  async function recoverAll(): Promise<void> {
    const gone = await presence.findGone();
    const abandoned = await prisma.$queryRaw<AbandonedAttempt[]>`
      SELECT
        job.id, job."ownerId", job.model, job.n,
        attempt.id AS "attemptId", attempt."sentAt", attempt.upstream
      FROM "EditAttempt" AS attempt
      JOIN "EditJob" AS job ON job.id = attempt."jobId"
      WHERE attempt.state = 'SENT' AND attempt."workerId"::text = ANY(${[...gone]})`;
    for (const attempt of abandoned) {
      if (stopping.signal.aborted) return;
      if (!recovering.has(attempt.attemptId)) await begin(attempt);
    }
    await presence.strikeOff(gone);
    const removed = await staging.sweepAbandoned(presence.list);
    if (removed > 0) options.log.info({ removed }, 'removed what dead processes were receiving');
    await storeLeftovers();
  }

  /** Resolves at its end, or when only pictures that its answer points at are still fetched. */
  function begin(attempt: AbandonedAttempt): Promise<void> {
    const { attemptId } = attempt;
    const log = options.log.child({ jobId: attempt.id, attemptId });
    return new Promise((resolve) => {
      const ended = recover(attempt, resolve, log)
        // One whose pictures cannot be stored now must not keep the others waiting.
        .catch((error) => {
          if (stopping.signal.aborted) return;
          log.error({ err: error }, 'an attempt cannot be recovered now');
        })
        .finally(() => {
          recovering.delete(attemptId);
          resolve();
        });
      recovering.set(attemptId, ended);
    });
  }

  async function recover(
    attempt: AbandonedAttempt,
    onReceived: () => void,
    log: Log,
  ): Promise<void> {
    const saved = await readSaved(attempt, onReceived, log);
    if (saved !== null && !(saved instanceof EditsApiError)) return runEdit.finish(attempt, saved);
    const unknown = saved === null || saved.outcome === 'unknown';
    if (unknown) {
      // It stays on the disk otherwise, and is moved later.
      await storeAnswer(attempt.attemptId, { mayBeMoved: true }).catch((error) =>
        log.warn({ err: error }, 'raw answer not stored'),
      );
    }
    const { code } = unknown ? STOPPED : saved;
    const ended = unknown
      ? await attempts.fail(attempt, { ...STOPPED, ...(saved && headOf(saved)) }, { unknown })
      : await runEdit.fail(await withHistory(attempt), saved);
    if (!unknown) await answerFiles.remove(attempt.attemptId);
    if (ended) log.warn({ code, unknown }, 'ended an attempt whose process is gone');
  }

  async function withHistory(attempt: AbandonedAttempt): Promise<FailedJob> {
    const history = await prisma.editJob.findUniqueOrThrow({
      where: { id: attempt.id },
      select: {
        createdAt: true,
        turn: true,
        attempts: { select: { id: true, errorCode: true, upstream: true } },
      },
    });
    return { ...attempt, ...history, upstream: upstreams.named(attempt.upstream) };
  }

  /** What the saved answer brings, or the error that it is; null: none was saved. */
  async function readSaved(
    { attemptId, upstream, n: expectedImages }: AbandonedAttempt,
    onReceived: () => void,
    log: Log,
  ): Promise<EditsApiAnswer | EditsApiError | null> {
    if (!(await answerFiles.hasBytes(attemptId))) return null;
    // Each would wait for itself until the storage is given up.
    if (!(await storageAccess.check())) throw new StorageError('The storage cannot be used.');
    const bytes = answerFiles.bytes(attemptId);
    const { signal } = stopping;
    try {
      const answer = { bytes, expectedImages, signal, onReceived };
      return await upstreams.named(upstream).readSaved(answer);
    } catch (error) {
      if (!(error instanceof EditsApiError)) throw error;
      log.warn({ err: error }, 'the saved answer is of no use');
      return error;
    }
  }

  /** Those that could not be moved when their attempt ended. */
  async function storeLeftovers(): Promise<void> {
    const idle = (await answerFiles.idle(IDLE_MS)).filter((name) => isUuid(name));
    if (idle.length === 0) return;
    const ended = await prisma.editAttempt.findMany({
      where: { id: { in: idle }, state: 'UNKNOWN' },
      select: { id: true },
    });
    for (const { id } of ended) await storeAnswer(id);
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
      await Promise.all(recovering.values());
    },
  };
}

const STOPPED = {
  code: EditErrorCode.ABORTED,
  message:
    'The server stopped after the request had gone out, and before a usable answer came: it may have been paid.',
  httpStatus: null,
  upstreamRequestId: null,
};
