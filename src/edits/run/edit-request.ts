import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import type { EditsApiFile, EditsApiRequest } from '../../edits-api/edits-api.ts';
import { EditsApiError } from '../../edits-api/edits-api-error.ts';
import { mediaOf } from '../../images/images.ts';
import { openForwardedImage } from '../../images/inspect/forwarded-image.ts';
import { BrokenStructureError } from '../../images/inspect/structure/input.ts';
import { blobKey } from '../../images/storage/blob-key.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import { toFormFields } from '../input/form-fields.ts';
import type { JsonObject } from '../input/json-object.ts';
import type { ClaimedJob } from './claim-edit.ts';

const SAFETY_IDENTIFIER = 'safety_identifier';

type JobImage = ClaimedJob['images'][number];

export interface EditRequests {
  /**
   * The request for a job. File names are ours; the bytes stay in the blob store until they are sent.
   * `sentSha256` of the job's inputs is committed before it resolves.
   * @throws EditsApiError, never with an unknown outcome: nothing was sent.
   */
  prepare(job: ClaimedJob, signal: AbortSignal): Promise<EditsApiRequest>;
}

export function createEditRequests(options: {
  prisma: PrismaClient;
  blobs: BlobStore;
  /** Sends the stored files unchanged. */
  forwardMetadata: boolean;
  /** A pseudonym of an owner. Null: there is only one owner. */
  safetyIdentifierOf: ((ownerId: string) => string) | null;
}): EditRequests {
  const { prisma, blobs, forwardMetadata, safetyIdentifierOf } = options;

  async function open(ownerId: string, jobImage: JobImage, signal: AbortSignal) {
    const { image, role, position } = jobImage;
    const { name, extension, contentType } = mediaOf(image.format);
    const { bytes, sha256, open } = await openForwardedImage(
      { ...image, key: blobKey({ ownerId, sha256: image.sha256 }), format: name },
      { blobs, withMetadata: forwardMetadata, signal },
    ).catch((error: unknown) => {
      throw unreadable(fieldOf(jobImage), error);
    });
    const filename = `${role === 'MASK' ? 'mask' : `image-${position + 1}`}.${extension}`;
    const file: EditsApiFile = { filename, contentType, bytes, open };
    return { jobImage, sha256, file };
  }

  /** Equal images are sent as equal bytes, wherever a job uses them. */
  async function record(
    jobId: string,
    sent: readonly { jobImage: JobImage; sha256: string }[],
  ): Promise<void> {
    const changed = sent.filter(({ jobImage, sha256 }) => jobImage.sentSha256 !== sha256);
    if (changed.length === 0) return;
    const imageIds = changed.map(({ jobImage }) => jobImage.imageId);
    const hashes = changed.map(({ sha256 }) => sha256);
    await ofAllOwners(prisma).$executeRaw`
      UPDATE "EditJobImage" AS input SET "sentSha256" = sent.sha256
      FROM unnest(${imageIds}::text[]::uuid[], ${hashes}::text[]) AS sent("imageId", sha256)
      WHERE input."jobId" = ${jobId}::uuid AND input."imageId" = sent."imageId"
        AND input.role IN ('INPUT', 'MASK')`;
  }

  /** With several owners, an owner may not appear as another one. */
  function identified({ ownerId, upstream }: ClaimedJob, fields: [string, string][]) {
    if (safetyIdentifierOf === null) return fields;
    const others = fields.filter(([name]) => name !== SAFETY_IDENTIFIER);
    if (!upstream.safetyIdentifier) return others;
    return [...others, [SAFETY_IDENTIFIER, safetyIdentifierOf(ownerId)] as const];
  }

  return {
    async prepare(job, signal) {
      try {
        const sent: Awaited<ReturnType<typeof open>>[] = [];
        for (const jobImage of job.images) sent.push(await open(job.ownerId, jobImage, signal));
        await record(job.id, sent);
        const filesOf = (role: JobImage['role']) =>
          sent.filter(({ jobImage }) => jobImage.role === role).map(({ file }) => file);
        const [mask] = filesOf('MASK');
        const params = {
          ...job,
          prompt: job.prompt.text,
          extraParams: job.extraParams as JsonObject | null,
          metadata: job.metadata as JsonObject,
        };
        return {
          images: filesOf('INPUT'),
          ...(mask && { mask }),
          fields: identified(job, toFormFields(params, job.resolvedSize)),
        };
      } catch (error) {
        throw toUnsent(error, signal);
      }
    },
  };
}

function fieldOf({ role, position }: JobImage): string {
  return role === 'MASK' ? 'mask' : `images[${position}]`;
}

/** An earlier version may have checked the upload by other rules. */
function unreadable(field: string, error: unknown): unknown {
  if (!(error instanceof BrokenStructureError)) return error;
  return new EditsApiError(
    EditErrorCode.INTERNAL,
    'refused',
    `${field} cannot be sent: the stored file ${error.message}. Save the image again in an image editor, and upload the new file.`,
    { cause: error },
  );
}

function toUnsent(error: unknown, signal: AbortSignal): EditsApiError {
  if (error instanceof EditsApiError) return error;
  if (signal.aborted) {
    const message = 'The edit was aborted before it was sent.';
    return new EditsApiError(EditErrorCode.ABORTED, 'not_processed', message);
  }
  const message =
    'The input images could not be read, or the hashes of their sent bytes could not be stored.';
  return new EditsApiError(EditErrorCode.INTERNAL, 'not_processed', message, { cause: error });
}
