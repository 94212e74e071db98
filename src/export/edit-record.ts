import type { Prisma } from '../database/database.ts';
import { type ErrorReader, toErrorRecord, toUsageRecord } from '../edits/outcome-record.ts';
import { shownParameters } from '../edits/parameters.ts';
import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';

/** The relations that a record is built from. */
export const RECORD_FIELDS = {
  prompt: { select: { text: true } },
  usage: true,
  charges: { where: { supersededAt: null }, select: { amountMicroUsd: true, priceVersion: true } },
  images: {
    where: { role: { in: ['INPUT', 'MASK', 'OUTPUT'] } },
    orderBy: { position: 'asc' },
    select: { role: true, imageId: true },
  },
} satisfies Prisma.EditJobInclude;

type RecordedJob = Prisma.EditJobGetPayload<{ include: typeof RECORD_FIELDS }>;

export interface ImageRecord {
  readonly id: string;
  readonly url: string;
}

export type EditRecord = ReturnType<typeof toEditRecord>;

/**
 * An edit as GraphQL returns it for the same fields.
 * @param options.imageUrl Returns the URL of an image, by its UUID.
 */
export function toEditRecord(
  job: RecordedJob,
  options: { readonly imageUrl: (id: string) => string; readonly reader: ErrorReader },
) {
  const { imageUrl, reader } = options;
  const [charge] = job.charges;
  const withRole = (role: 'INPUT' | 'MASK' | 'OUTPUT'): ImageRecord[] =>
    job.images
      .filter((image) => image.role === role)
      .map(({ imageId }) => ({
        id: encodeGlobalId('Image', imageId),
        url: imageUrl(imageId),
      }));
  return {
    id: encodeGlobalId('EditJob', job.id),
    owner: { id: job.ownerId },
    status: job.status,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    durationMs: job.durationMs,
    upstream: job.upstream,
    source: job.source,
    sandbox: job.sandbox,
    prompt: { text: job.prompt?.text ?? '' },
    ...shownParameters(job),
    resolvedSize: job.resolvedSize,
    extraParams: job.extraParams,
    metadata: job.metadata,
    usage: toUsageRecord(job.usage),
    cost: charge
      ? {
          /** US dollars. */
          amount: formatDecimal(charge.amountMicroUsd, USD_FRACTION_DIGITS),
          priceVersion: charge.priceVersion,
          nominal: job.sandbox,
        }
      : null,
    upstreamResult:
      job.status === 'SUCCEEDED'
        ? {
            size: job.answerSize,
            quality: job.answerQuality,
            background: job.answerBackground,
            outputFormat: job.answerOutputFormat,
            revisedPrompt: job.answerRevisedPrompt,
          }
        : null,
    error: toErrorRecord(job, reader),
    retryOf: job.retryOfId === null ? null : { id: encodeGlobalId('EditJob', job.retryOfId) },
    inputImages: withRole('INPUT'),
    mask: withRole('MASK')[0] ?? null,
    outputImages: withRole('OUTPUT'),
  };
}
