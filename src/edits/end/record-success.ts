import type { Prisma } from '../../database/database.ts';
import type { EditsApiAnswer } from '../../edits-api/edits-api.ts';
import type { Images, ReceivedImage } from '../../images/images.ts';
import type { Events } from '../../queue/events.ts';
import type { Ledger } from '../../usage/ledger.ts';
import { readTokenUsage, summedTokens } from '../../usage/token-usage.ts';
import type { OnEditEnd } from './edit-end.ts';

/** The attempt that has succeeded, by what its job says. */
export interface SucceededAttempt {
  /** Of the job. */
  readonly id: string;
  readonly ownerId: string;
  readonly model: string;
  readonly sentAt: Date;
}

/** What of an answer is written down. */
export type SuccessfulAnswer = Pick<EditsApiAnswer, 'body' | 'httpStatus' | 'upstreamRequestId'>;

/** Moves an attempt and its job; false: somebody else has, and nothing is written. */
export type MoveToSuccess = (
  tx: Prisma.TransactionClient,
  attempt: Prisma.EditAttemptUpdateManyMutationInput,
  job: Prisma.EditJobUpdateManyMutationInput,
) => Promise<boolean>;

/**
 * What a success writes, in the transaction that makes it: outputs, usage, charge, the settled budget,
 * webhooks and the event. False: `move` said so.
 */
export type RecordSuccess = (
  tx: Prisma.TransactionClient,
  attempt: SucceededAttempt,
  answer: SuccessfulAnswer,
  outputs: readonly ReceivedImage[],
  move: MoveToSuccess,
) => Promise<boolean>;

export function createRecordSuccess(options: {
  images: Images;
  events: Events;
  ledger: Ledger;
  onEnd: OnEditEnd;
}): RecordSuccess {
  const { images, events, ledger, onEnd } = options;

  return async (tx, attempt, answer, outputs, move) => {
    const { id: jobId, ownerId, model, sentAt } = attempt;
    const { body, httpStatus, upstreamRequestId } = answer;
    const rawUsage = body['usage'] ?? null;
    const usage = readTokenUsage(rawUsage);
    const cost = usage && ledger.price(model, usage, sentAt);
    const costMicroUsd = cost?.amountMicroUsd ?? null;
    const isMoved = await move(
      tx,
      { state: 'SUCCEEDED', httpStatus, upstreamRequestId, answer: body as Prisma.InputJsonObject },
      {
        status: 'SUCCEEDED',
        outputCount: outputs.length,
        ...summedTokens(usage),
        costMicroUsd,
        answerSize: word(body['size']),
        answerQuality: word(body['quality']),
        answerBackground: word(body['background']),
        answerOutputFormat: word(body['output_format']),
      },
    );
    if (!isMoved) return false;
    const imageIds = await images.save(tx, ownerId, outputs);
    await tx.editJobImage.createMany({
      data: imageIds.map((imageId, position) => ({
        jobId,
        ownerId,
        imageId,
        role: 'OUTPUT' as const,
        position,
      })),
    });
    if (rawUsage !== null) {
      const raw = rawUsage as Prisma.InputJsonValue;
      await tx.tokenUsage.createMany({ data: { jobId, ownerId, ...usage, raw } });
    }
    if (cost !== null) await ledger.charge(tx, { jobId, ownerId }, cost);
    await onEnd(tx, { jobId, ownerId, status: 'SUCCEEDED', costMicroUsd, usage });
    await events.publish(tx, { kind: 'edit', jobId, ownerId, final: true });
    return true;
  };
}

/** A short word of the answer, as it stands there. */
function word(value: unknown): string | null {
  return typeof value === 'string' && value.length <= 64 ? value : null;
}
