import type { Viewer } from '../../auth/viewer.ts';
import type { Prisma, PrismaClient } from '../../database/database.ts';
import { inHistory } from '../../edits/history/in-history.ts';
import { toUsageRecord } from '../../edits/outcome-record.ts';
import { NotFoundError } from '../../errors.ts';
import { mediaOf } from '../../images/images.ts';
import { blobKey } from '../../images/storage/blob-key.ts';
import { encodeGlobalId } from '../../public-ids/global-id.ts';

const WITH_RESULT = {
  usage: true,
  images: {
    where: { role: 'OUTPUT' },
    orderBy: { position: 'asc' },
    select: {
      image: {
        select: {
          ownerId: true,
          sha256: true,
          format: true,
          width: true,
          height: true,
          bytes: true,
        },
      },
    },
  },
  attempts: {
    orderBy: { number: 'asc' },
    select: { state: true, errorCode: true, moderationDetails: true },
  },
} satisfies Prisma.EditJobInclude;

/** An edit with what a response needs of it. */
export type EditWithResult = Prisma.EditJobGetPayload<{ include: typeof WITH_RESULT }>;

/** A stored image that a response contains as base64. */
export interface ResultImage {
  readonly key: string;
  readonly bytes: number;
}

/** @throws NotFoundError if it is not the viewer's, or was deleted. */
export async function findEdit(
  prisma: PrismaClient,
  viewer: Viewer,
  id: string,
): Promise<EditWithResult> {
  const edit = await prisma.editJob.findFirst({
    where: { id, ...inHistory(viewer) },
    include: WITH_RESULT,
  });
  if (edit === null) throw new NotFoundError('EditJob', encodeGlobalId('EditJob', id));
  return edit;
}

export function resultImages({ images }: EditWithResult): readonly ResultImage[] {
  return images.map(({ image }) => ({ key: blobKey(image), bytes: image.bytes }));
}

/**
 * The parameters as the upstream used them, in the words of `ImagesResponse`. A value that nobody
 * reported is absent.
 */
export function usedParameters(edit: EditWithResult) {
  const [first] = edit.images;
  const { width, height, format } = first?.image ?? { width: 0, height: 0, format: 'PNG' as const };
  const quality = edit.answerQuality ?? chosen(edit.quality);
  const background = edit.answerBackground ?? chosen(edit.background);
  return {
    ...(background !== null && { background }),
    output_format: edit.answerOutputFormat ?? mediaOf(format).name,
    ...(quality !== null && { quality }),
    size: edit.answerSize ?? `${width}x${height}`,
  };
}

/** As OpenAI reports it. Absent if the upstream reported none, or contradicting numbers. */
export function usageOf({ usage }: EditWithResult) {
  const record = toUsageRecord(usage);
  if (record === null) return {};
  const { inputTokensDetails: input, outputTokensDetails: output, cachedInputTokens } = record;
  return {
    usage: {
      total_tokens: record.totalTokens,
      input_tokens: record.inputTokens,
      output_tokens: record.outputTokens,
      ...detailsOf('input_tokens_details', input, cachedInputTokens),
      ...detailsOf('output_tokens_details', output, null),
    },
  };
}

/** Unix time in seconds. */
export function createdAt({ finishedAt, createdAt: submittedAt }: EditWithResult): number {
  return Math.floor((finishedAt ?? submittedAt).getTime() / 1_000);
}

function detailsOf(
  name: string,
  { textTokens, imageTokens }: { textTokens: number | null; imageTokens: number | null },
  cachedTokens: number | null,
) {
  if (textTokens === null || imageTokens === null) return {};
  return {
    [name]: {
      text_tokens: textTokens,
      image_tokens: imageTokens,
      ...(cachedTokens !== null && { cached_tokens: cachedTokens }),
    },
  };
}

/** A parameter that was left to the model has no value that is known. */
function chosen(requested: string | null): string | null {
  return requested === 'auto' ? null : requested;
}
