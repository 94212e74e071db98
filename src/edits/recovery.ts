import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrismaClient } from '../database/database.ts';
import type { Upstreams } from '../edits-api/upstreams.ts';
import { EditErrorCode, EditsApiError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Attempts, OpenAttempt } from './attempts.ts';
import type { RunEdit } from './run-edit.ts';
import { GONE_AFTER_SECONDS } from './workers.ts';

const INTERVAL_MS = 10_000;

/**
 * Ends the attempts whose process is surely gone: from the saved answer where there is one, else as
 * an unknown outcome. Never sends anything.
 */
export interface Recovery {
  /** Looks at once, and then every 10 s. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

type AbandonedAttempt = OpenAttempt & { readonly upstream: string | null };

export function createRecovery(options: {
  prisma: PrismaClient;
  attempts: Attempts;
  runEdit: RunEdit;
  upstreams: Upstreams;
  answersDir: string;
  log: Log;
}): Recovery {
  const { prisma, attempts, runEdit, upstreams, answersDir } = options;
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();

  async function recoverAll(): Promise<void> {
    const abandoned = await prisma.$queryRaw<AbandonedAttempt[]>`
      SELECT job.id, job."ownerId", attempt.id AS "attemptId", attempt.upstream
      FROM "EditAttempt" AS attempt
      JOIN "EditJob" AS job ON job.id = attempt."jobId"
      LEFT JOIN "Worker" AS worker ON worker.id = attempt."workerId"
      WHERE attempt.state = 'SENT' AND (
        worker.id IS NULL OR worker."heartbeatAt" < now() - make_interval(secs => ${GONE_AFTER_SECONDS})
      )`;
    for (const attempt of abandoned) {
      if (stopping.signal.aborted) return;
      await recover(attempt);
    }
  }

  async function recover(attempt: AbandonedAttempt): Promise<void> {
    const log = options.log.child({ jobId: attempt.id, attemptId: attempt.attemptId });
    const rawAnswerPath = join(answersDir, attempt.attemptId);
    const saved = await stat(rawAnswerPath).catch(() => null);
    if (saved !== null && saved.size > 0) {
      try {
        const { readSaved } = upstreams.named(attempt.upstream);
        const answer = await readSaved(rawAnswerPath, stopping.signal);
        await runEdit.finish(attempt, answer, stopping);
        return;
      } catch (error) {
        if (!(error instanceof EditsApiError)) throw error;
        log.warn({ err: error }, 'the saved answer is of no use');
      }
    }
    const failure = {
      code: EditErrorCode.INTERNAL,
      message:
        'The server stopped after the request had gone out, and before the answer came: it may have been paid.',
      httpStatus: null,
      upstreamRequestId: null,
    };
    const ended = await attempts.fail(attempt, failure, { unknown: true });
    if (ended) log.warn('an attempt whose process is gone has an unknown outcome');
  }

  function look(): Promise<void> {
    looking = looking
      .then(recoverAll)
      .catch((error) => options.log.error({ err: error }, 'recovery failed'));
    return looking;
  }

  return {
    async start() {
      timer = setInterval(() => void look(), INTERVAL_MS);
      await look();
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await looking;
    },
  };
}
