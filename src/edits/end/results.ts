import type { Prisma, Transaction } from '../../database/database.ts';
import type { EditsApiAnswer } from '../../edits-api/edits-api.ts';
import type { Images, ReceivedImage } from '../../images/images.ts';
import type { Ledger } from '../../usage/ledger.ts';
import type { PricedUsage } from '../../usage/pricing.ts';
import { readTokenUsage, summedTokens, type TokenUsageNumbers } from '../../usage/token-usage.ts';

/** As long as the longest prompt, in characters. */
const MAX_REVISED_PROMPT = 32_000;

export interface Success {
  readonly status: 'SUCCEEDED';
  readonly model: string;
  readonly sentAt: Date;
  readonly answer: SuccessfulAnswer;
  /** Their blobs are stored. */
  readonly outputs: readonly ReceivedImage[];
}

/** The part of a response that is stored in the database. */
export type SuccessfulAnswer = Pick<EditsApiAnswer, 'body' | 'httpStatus' | 'upstreamRequestId'>;

/** What a successful edit writes. */
export interface Results {
  readonly outputs: readonly ReceivedImage[];
  /** As the upstream reported it; null if it did not. */
  readonly rawUsage: Prisma.InputJsonValue | null;
  /** Null if it was not reported or contradicts itself. */
  readonly usage: TokenUsageNumbers | null;
  /** Null if the price is unknown. */
  readonly cost: PricedUsage | null;
  /** When the attempt was sent, which decides about the prices. */
  readonly sentAt: Date;
  readonly attemptColumns: Prisma.EditAttemptUpdateManyMutationInput;
  readonly jobColumns: Prisma.EditJobUpdateManyMutationInput;
}

export function readResults(
  ledger: Pick<Ledger, 'price'>,
  { model, sentAt, answer, outputs }: Success,
): Results {
  const { body, httpStatus, upstreamRequestId } = answer;
  const rawUsage = (body['usage'] ?? null) as Prisma.InputJsonValue | null;
  const usage = readTokenUsage(rawUsage);
  const cost = usage && ledger.price(model, usage, sentAt);
  return {
    outputs,
    rawUsage,
    usage,
    cost,
    sentAt,
    attemptColumns: { httpStatus, upstreamRequestId, answer: body as Prisma.InputJsonObject },
    jobColumns: {
      outputCount: outputs.length,
      ...summedTokens(usage),
      costMicroUsd: cost?.amountMicroUsd ?? null,
      answerSize: toWord(body['size']),
      answerQuality: toWord(body['quality']),
      answerBackground: toWord(body['background']),
      answerOutputFormat: toWord(body['output_format']),
      answerRevisedPrompt: revisedPromptOf(body),
    },
  };
}

/** Inserts outputs, usage and charge. */
export async function insertResults(
  tx: Transaction,
  job: { readonly jobId: string; readonly ownerId: string },
  { outputs, rawUsage, usage, cost }: Results,
  { images, ledger }: { images: Pick<Images, 'save'>; ledger: Pick<Ledger, 'charge'> },
): Promise<void> {
  const { jobId, ownerId } = job;
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
    await tx.tokenUsage.createMany({ data: { jobId, ownerId, ...usage, raw: rawUsage } });
  }
  if (cost !== null) await ledger.charge(tx, job, cost);
}

/** Of the first image that has one. An event stream has it beside the images. */
function revisedPromptOf(body: SuccessfulAnswer['body']): string | null {
  const { data } = body;
  const found = [body, ...(Array.isArray(data) ? data : [])]
    .map((one) => (typeof one === 'object' && one !== null ? one['revised_prompt'] : null))
    .find((text) => typeof text === 'string' && text.trim() !== '');
  return typeof found === 'string' ? found.slice(0, MAX_REVISED_PROMPT).toWellFormed() : null;
}

/** A short string of the response, as it stands there. */
function toWord(value: unknown): string | null {
  return typeof value === 'string' && value.length <= 64 ? value : null;
}
