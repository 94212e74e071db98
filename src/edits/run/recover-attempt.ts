import { ofAllOwners } from '../../auth/visible.ts';
import type { StorageAccess } from '../../config/data-dir/storage-access.ts';
import type { PrismaClient } from '../../database/database.ts';
import { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import type { EditsApiAnswer } from '../../edits-api/edits-api.ts';
import { EditsApiError } from '../../edits-api/edits-api-error.ts';
import type { Upstreams } from '../../edits-api/upstreams.ts';
import { StorageError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Traces } from '../../telemetry/traces.ts';
import type { AnswerFiles } from './answer-files.ts';
import { headOf } from './attempt-failure.ts';
import type { Attempts, OpenAttempt } from './attempts.ts';
import type { FailedJob, FinishAttempt } from './finish-attempt.ts';
import type { StoreAnswer } from './stored-answers.ts';

/** An open attempt whose process has crashed. */
export type AbandonedAttempt = OpenAttempt & {
  readonly upstream: string;
  readonly n: number;
  readonly traceparent: string | null;
};

/**
 * Ends an abandoned attempt: by its raw response if there is one, else as an unknown outcome. Sends
 * nothing. Calls `onReceived` when only images that the response links to are left to fetch. If it
 * rejects, it can be called again.
 */
export type RecoverAttempt = (
  attempt: AbandonedAttempt,
  options: {
    readonly onReceived: () => void;
    readonly signal: AbortSignal;
    readonly log: Log;
  },
) => Promise<void>;

export function createRecoverAttempt(options: {
  prisma: PrismaClient;
  attempts: Attempts;
  finishAttempt: FinishAttempt;
  upstreams: Upstreams;
  answerFiles: AnswerFiles;
  storeAnswer: StoreAnswer;
  storageAccess: StorageAccess;
  traces: Traces;
}): RecoverAttempt {
  const { prisma, attempts, finishAttempt, upstreams } = options;
  const { answerFiles, storeAnswer, storageAccess, traces } = options;

  type How = Parameters<RecoverAttempt>[1];

  return (attempt, how) => {
    const { traceparent: parent } = attempt;
    return traces.span('recover edit', { kind: 'CONSUMER', parent }, () => recover(attempt, how));
  };

  async function recover(attempt: AbandonedAttempt, how: How): Promise<void> {
    const { onReceived, signal, log } = how;
    const saved = await readSaved(attempt, onReceived, signal, log);
    if (saved !== null && !(saved instanceof EditsApiError)) {
      return finishAttempt.succeed(attempt, saved);
    }
    if (saved === null || saved.outcome === 'unknown') {
      // It stays on the disk otherwise, and is moved later.
      await storeAnswer(attempt.attemptId, { mayBeMoved: true }).catch((error) =>
        log.warn({ err: error }, 'raw response not stored'),
      );
      const failure = { ...INTERRUPTED, ...(saved && headOf(saved)) };
      const isEnded = await attempts.fail(attempt, failure, { unknown: true });
      if (isEnded) log.warn({ code: failure.code }, 'ended an attempt of a crashed process');
      return;
    }
    const isEnded = await finishAttempt.fail(await withHistory(attempt), saved);
    await answerFiles.remove(attempt.attemptId);
    if (isEnded) log.warn({ code: saved.code }, 'ended an attempt of a crashed process');
  }

  /** The content of the raw response, or the error in it; null if there is none. */
  async function readSaved(
    { attemptId, upstream, n: expectedImages }: AbandonedAttempt,
    onReceived: () => void,
    signal: AbortSignal,
    log: Log,
  ): Promise<EditsApiAnswer | EditsApiError | null> {
    if (!(await answerFiles.hasBytes(attemptId))) return null;
    // Checked once, as each attempt would wait until the storage times out.
    if (!(await storageAccess.check())) throw new StorageError('The storage is unavailable.');
    const bytes = answerFiles.bytes(attemptId);
    try {
      const answer = { bytes, expectedImages, signal, onReceived };
      return await upstreams.named(upstream).readSaved(answer);
    } catch (error) {
      if (!(error instanceof EditsApiError)) throw error;
      log.warn({ err: error }, 'the raw response has no usable image');
      return error;
    }
  }

  async function withHistory(attempt: AbandonedAttempt): Promise<FailedJob> {
    const history = await ofAllOwners(prisma).editJob.findUniqueOrThrow({
      where: { id: attempt.id },
      select: {
        createdAt: true,
        turn: true,
        attempts: { select: { id: true, errorCode: true, upstream: true } },
      },
    });
    return { ...attempt, ...history, upstream: upstreams.named(attempt.upstream) };
  }
}

const INTERRUPTED = {
  code: EditErrorCode.ABORTED,
  message:
    'The server stopped after it had sent the request and before a usable response arrived: it may have been paid.',
  httpStatus: null,
  upstreamRequestId: null,
};
