import type { Prisma } from '../database/database.ts';
import { shownParameters } from '../edits/parameters.ts';
import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import { imageUrl } from '../public-ids/image-url.ts';

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

/** An edit as one flat object with the field names of the schema and global ids. */
export function toEditRecord(job: RecordedJob, baseUrl: string) {
  const [charge] = job.charges;
  const withRole = (role: 'INPUT' | 'MASK' | 'OUTPUT'): ImageRecord[] =>
    job.images
      .filter((image) => image.role === role)
      .map(({ imageId }) => ({
        id: encodeGlobalId('Image', imageId),
        url: imageUrl(baseUrl, imageId),
      }));
  return {
    id: encodeGlobalId('EditJob', job.id),
    status: job.status,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    durationMs: job.durationMs,
    upstream: job.upstream,
    sandbox: job.sandbox,
    prompt: job.prompt?.text ?? '',
    ...shownParameters(job),
    resolvedSize: job.resolvedSize,
    extraParams: job.extraParams,
    metadata: job.metadata,
    usage:
      job.usage?.totalTokens == null
        ? null
        : {
            totalTokens: job.usage.totalTokens,
            inputTokens: job.usage.inputTokens,
            inputTextTokens: job.usage.inputTextTokens,
            inputImageTokens: job.usage.inputImageTokens,
            inputCachedTokens: job.usage.inputCachedTokens,
            outputTokens: job.usage.outputTokens,
            outputTextTokens: job.usage.outputTextTokens,
            outputImageTokens: job.usage.outputImageTokens,
          },
    cost: charge
      ? {
          /** US dollars. */
          amount: formatDecimal(charge.amountMicroUsd, USD_FRACTION_DIGITS),
          priceVersion: charge.priceVersion,
        }
      : null,
    errorCode: job.errorCode,
    errorMessage: job.errorMessage,
    retryOf: job.retryOfId === null ? null : encodeGlobalId('EditJob', job.retryOfId),
    inputImages: withRole('INPUT'),
    mask: withRole('MASK')[0] ?? null,
    outputImages: withRole('OUTPUT'),
  };
}
