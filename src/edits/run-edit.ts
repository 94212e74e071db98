import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { v7 as uuid } from 'uuid';
import { Prisma, type PrismaClient } from '../database/database.ts';
import type { EditsApi, EditsApiAnswer, EditsApiFile, EditsApiRequest } from '../edits-api/edits-api.ts';
import { EditErrorCode, EditsApiError, InvalidInputError } from '../errors.ts';
import type { Events } from '../events.ts';
import { blobKey } from '../images/blob-key.ts';
import type { BlobStore } from '../images/blob-store.ts';
import { discardStagedFile } from '../images/fs-staging.ts';
import { type Images, mediaOf, type ReceivedImage } from '../images/images.ts';
import { inspectImage } from '../images/inspect-image.ts';
import type { Log } from '../log.ts';
import { toFormFields } from './edit-params.ts';
import { statusesBefore } from './edit-status.ts';
import type { JsonObject } from './json-object.ts';
import { readTokenUsage } from './token-usage.ts';

const MAX_OUTPUT_PIXELS = 100_000_000;

/** Runs one queued edit to its end: at most one POST, whatever happens. */
export interface RunEdit {
  /**
   * Resolves when the job's end is committed, or at once when the job is not queued any more.
   * Aborting `signal` ends the call to the edits API, its outcome unknown.
   */
  (data: { jobId: string }, signal: AbortSignal): Promise<void>;
}

export function createRunEdit(options: {
  prisma: PrismaClient;
  events: Events;
  images: Images;
  blobs: BlobStore;
  editsApi: EditsApi;
  /** Where raw answers lie until their pictures are stored. */
  answersDir: string;
  timeoutMs: number;
  log: Log;
  /** Told after an edit has succeeded; what it rejects with is logged. */
  onSucceeded?: (jobId: string) => Promise<void>;
}): RunEdit {
  const { prisma, events, images, blobs, editsApi, answersDir, timeoutMs, onSucceeded } = options;

  return async ({ jobId }, signal) => {
    const log = options.log.child({ jobId });
    const job = await claim(jobId);
    if (job === null) return;
    const { attemptId } = job;
    const rawAnswerPath = join(answersDir, attemptId);
    log.info({ attemptId, model: job.model }, 'edit sent');
    try {
      const answer = await editsApi.edit(toRequest(job), { signal, timeoutMs, rawAnswerPath });
      const outputs = await inspectOutputs(answer);
      await images.keep(job.ownerId, outputs, { durable: true });
      await succeed(job, answer, outputs);
      await unlink(rawAnswerPath).catch((error) => log.warn({ err: error }, 'answer not removed'));
      log.info({ attemptId, images: outputs.length }, 'edit succeeded');
      await onSucceeded?.(jobId).catch((error) => log.warn({ err: error }, 'after success'));
    } catch (error) {
      const failure = toFailure(error);
      log.warn({ err: error, attemptId, code: failure.code }, 'edit failed');
      await fail(job, failure);
    }
  };

  /** From queued to running with its attempt `SENT`, committed before a byte goes out. */
  async function claim(jobId: string) {
    return prisma.$transaction(async (tx) => {
      const startedAt = new Date();
      const { count } = await tx.editJob.updateMany({
        where: { id: jobId, status: { in: statusesBefore('RUNNING') } },
        data: { status: 'RUNNING', startedAt },
      });
      if (count === 0) return null;
      const job = await tx.editJob.findUniqueOrThrow({ where: { id: jobId }, include: WITH_INPUT });
      const attemptId = uuid();
      await tx.editAttempt.createMany({ data: { id: attemptId, jobId, number: 1 } });
      await events.publish(tx, { kind: 'edit', jobId, ownerId: job.ownerId, final: false });
      return { ...job, attemptId };
    });
  }

  function toRequest(job: ClaimedJob): EditsApiRequest {
    const files = job.images.map(({ image, role, position }) => {
      const file: EditsApiFile = {
        filename: `${role === 'MASK' ? 'mask' : `image-${position + 1}`}.${mediaOf(image.format).extension}`,
        contentType: mediaOf(image.format).contentType,
        bytes: image.bytes,
        open: () => blobs.pieces(blobKey({ ownerId: job.ownerId, sha256: image.sha256 })),
      };
      return { role, file };
    });
    const mask = files.find(({ role }) => role === 'MASK')?.file;
    const params = {
      ...job,
      prompt: job.prompt.text,
      extraParams: job.extraParams as JsonObject | null,
      metadata: job.metadata as JsonObject,
    };
    return {
      images: files.filter(({ role }) => role === 'INPUT').map(({ file }) => file),
      ...(mask && { mask }),
      fields: toFormFields(params, job.resolvedSize),
    };
  }

  async function succeed(job: ClaimedJob, answer: EditsApiAnswer, outputs: ReceivedImage[]) {
    const { body } = answer;
    const usage = readTokenUsage(body['usage']);
    const finishedAt = new Date();
    await prisma.$transaction(async (tx) => {
      await finishAttempt(tx, job, {
        state: 'SUCCEEDED',
        finishedAt,
        httpStatus: answer.httpStatus,
        upstreamRequestId: answer.upstreamRequestId,
        answer: body as Prisma.InputJsonObject,
      });
      await finishJob(tx, job, {
        status: 'SUCCEEDED',
        finishedAt,
        answerSize: word(body['size']),
        answerQuality: word(body['quality']),
        answerBackground: word(body['background']),
        answerOutputFormat: word(body['output_format']),
      });
      const imageIds = await images.save(tx, job.ownerId, outputs);
      await tx.editJobImage.createMany({
        data: imageIds.map((imageId, position) => ({
          jobId: job.id,
          imageId,
          role: 'OUTPUT' as const,
          position,
        })),
      });
      if (usage !== null) {
        const raw = body['usage'] as Prisma.InputJsonObject;
        await tx.tokenUsage.createMany({ data: { jobId: job.id, ...usage, raw } });
      }
      await publishFinal(tx, job);
    });
  }

  async function fail(job: ClaimedJob, failure: Failure): Promise<void> {
    const finishedAt = new Date();
    const error = { errorCode: failure.code, errorMessage: failure.message };
    await prisma.$transaction(async (tx) => {
      await finishAttempt(tx, job, {
        state: failure.unknown ? 'UNKNOWN' : 'FAILED',
        finishedAt,
        httpStatus: failure.httpStatus,
        upstreamRequestId: failure.upstreamRequestId,
        ...error,
      });
      const status = failure.unknown ? 'OUTCOME_UNKNOWN' : 'FAILED';
      await finishJob(tx, job, { status, finishedAt, ...error });
      await publishFinal(tx, job);
    });
  }

  function publishFinal(tx: Prisma.TransactionClient, job: ClaimedJob): Promise<void> {
    return events.publish(tx, {
      kind: 'edit',
      jobId: job.id,
      ownerId: job.ownerId,
      final: true,
    });
  }
}

const WITH_INPUT = {
  prompt: { select: { text: true } },
  images: {
    where: { role: { in: ['INPUT', 'MASK'] } },
    orderBy: { position: 'asc' },
    include: { image: { select: { sha256: true, format: true, bytes: true } } },
  },
} satisfies Prisma.EditJobInclude;

type ClaimedJob = Prisma.EditJobGetPayload<{ include: typeof WITH_INPUT }> & { attemptId: string };

/** Guarded: only the attempt that is still out can end. */
async function finishAttempt(
  tx: Prisma.TransactionClient,
  job: ClaimedJob,
  data: Prisma.EditAttemptUpdateManyMutationInput,
): Promise<void> {
  const { count } = await tx.editAttempt.updateMany({
    where: { id: job.attemptId, state: 'SENT' },
    data,
  });
  if (count === 0) throw new Error(`attempt ${job.attemptId} was ended by somebody else`);
}

async function finishJob(
  tx: Prisma.TransactionClient,
  job: ClaimedJob,
  data: Prisma.EditJobUpdateManyMutationInput & { status: 'SUCCEEDED' | 'FAILED' | 'OUTCOME_UNKNOWN' },
): Promise<void> {
  const { count } = await tx.editJob.updateMany({
    where: { id: job.id, status: { in: statusesBefore(data.status) } },
    data,
  });
  if (count === 0) throw new Error(`edit ${job.id} was ended by somebody else`);
}

/** @throws EditsApiError (BROKEN_ANSWER, unknown) when an output is not a whole picture. */
async function inspectOutputs(answer: EditsApiAnswer): Promise<ReceivedImage[]> {
  try {
    return await Promise.all(
      answer.images.map(async (staged, index) => ({
        staged,
        facts: await inspectImage(staged, {
          field: `data[${index}]`,
          maxPixels: MAX_OUTPUT_PIXELS,
        }),
      })),
    );
  } catch (error) {
    await Promise.all(answer.images.map(discardStagedFile));
    if (!(error instanceof InvalidInputError)) throw error;
    throw new EditsApiError(
      EditErrorCode.BROKEN_ANSWER,
      'unknown',
      `The edits API answered with a picture that cannot be used: ${error.message}`,
      { httpStatus: answer.httpStatus, upstreamRequestId: answer.upstreamRequestId, cause: error },
    );
  }
}

interface Failure {
  readonly code: EditErrorCode;
  readonly message: string;
  /** It may have been processed and paid. */
  readonly unknown: boolean;
  readonly httpStatus: number | null;
  readonly upstreamRequestId: string | null;
}

function toFailure(error: unknown): Failure {
  if (error instanceof EditsApiError) {
    const { code, message, outcome, httpStatus, upstreamRequestId } = error;
    return { code, message, unknown: outcome === 'unknown', httpStatus, upstreamRequestId };
  }
  return {
    code: EditErrorCode.INTERNAL,
    message: 'Something failed on this server; its log has the reason under the edit’s id.',
    // Whatever it was, it may have come after the call.
    unknown: true,
    httpStatus: null,
    upstreamRequestId: null,
  };
}

/** A short word of the answer, as it stands there. */
function word(value: unknown): string | null {
  return typeof value === 'string' && value.length <= 64 ? value : null;
}
