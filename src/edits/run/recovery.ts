import { validate as isUuid } from 'uuid';
import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Staging } from '../../images/storage/staging.ts';
import type { Log } from '../../log.ts';
import type { AnswerFiles } from './answer-files.ts';
import type { Processes } from './processes.ts';
import type { AbandonedAttempt, RecoverAttempt } from './recover-attempt.ts';
import type { StoreAnswer } from './stored-answers.ts';

/** A crash is noticed after the timeout and at most two of these checks. */
const CHECKS_PER_TIMEOUT = 3;

/** Nothing is being written to a raw response that is unchanged for so long. */
const IDLE_MS = 15 * 60 * 1_000;

/** Ends the attempts of crashed processes, and removes the files that those were receiving. */
export interface Recovery {
  /** Resolves after the first check; three follow within each `processTimeoutMs`. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createRecovery(options: {
  prisma: PrismaClient;
  recoverAttempt: RecoverAttempt;
  processes: Processes;
  answerFiles: AnswerFiles;
  storeAnswer: StoreAnswer;
  staging: Staging;
  processTimeoutMs: number;
  log: Log;
}): Recovery {
  const { prisma, recoverAttempt, processes, answerFiles, storeAnswer, staging } = options;
  const intervalMs = options.processTimeoutMs / CHECKS_PER_TIMEOUT;
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let checking = Promise.resolve();
  /** By attempt. To fetch the images that a response links to takes minutes: nothing waits for it. */
  const recovering = new Map<string, Promise<void>>();

  async function recoverAll(): Promise<void> {
    const crashed = await processes.findCrashed();
    const abandoned = await ofAllOwners(prisma).$queryRaw<AbandonedAttempt[]>`
      SELECT
        job.id, job."ownerId", job.model, job.n,
        attempt.id AS "attemptId", attempt."sentAt", attempt.upstream, job.traceparent
      FROM "EditAttempt" AS attempt
      JOIN "EditJob" AS job ON job.id = attempt."jobId"
      WHERE attempt.state = 'SENT' AND attempt."processId"::text = ANY(${[...crashed]})`;
    for (const attempt of abandoned) {
      if (stopping.signal.aborted) return;
      if (!recovering.has(attempt.attemptId)) await begin(attempt);
    }
    await processes.remove(crashed);
    const removed = await staging.sweepAbandoned(processes.list);
    if (removed > 0) {
      options.log.info({ removed }, 'removed files that crashed processes were receiving');
    }
    await storeLeftovers();
  }

  /** Resolves at its end, or when only images that its response links to are still being fetched. */
  function begin(attempt: AbandonedAttempt): Promise<void> {
    const { attemptId } = attempt;
    const log = options.log.child({ jobId: attempt.id, attemptId });
    const { signal } = stopping;
    return new Promise((resolve) => {
      const ended = recoverAttempt(attempt, { onReceived: resolve, signal, log })
        // The others must not wait for one whose images cannot be stored now.
        .catch((error) => {
          if (signal.aborted) return;
          log.error({ err: error }, 'could not recover an attempt; the next run tries again');
        })
        .finally(() => {
          recovering.delete(attemptId);
          resolve();
        });
      recovering.set(attemptId, ended);
    });
  }

  /** Raw responses that could not be moved when their attempt ended. */
  async function storeLeftovers(): Promise<void> {
    const idle = (await answerFiles.idle(IDLE_MS)).filter((name) => isUuid(name));
    if (idle.length === 0) return;
    const ended = await ofAllOwners(prisma).editAttempt.findMany({
      where: { id: { in: idle }, state: 'UNKNOWN' },
      select: { id: true },
    });
    for (const { id } of ended) await storeAnswer(id);
  }

  /** The next check is timed from the end of this one: see Processes.findCrashed. */
  async function check(): Promise<void> {
    await recoverAll().catch((error) => options.log.error({ err: error }, 'recovery failed'));
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => {
      checking = check();
    }, intervalMs);
  }

  return {
    async start() {
      checking = check();
      await checking;
    },
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await checking;
      await Promise.all(recovering.values());
    },
  };
}
