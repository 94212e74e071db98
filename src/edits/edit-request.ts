import type { EditsApiFile, EditsApiRequest } from '../edits-api/edits-api.ts';
import { blobKey } from '../images/blob-key.ts';
import type { BlobStore } from '../images/blob-store.ts';
import { mediaOf } from '../images/images.ts';
import type { ClaimedJob } from './attempts.ts';
import { toFormFields } from './form-fields.ts';
import type { JsonObject } from './json-object.ts';

/** A job as the edits API wants it. File names are ours; the bytes stay in the store until sent. */
export function toRequest(job: ClaimedJob, blobs: BlobStore): EditsApiRequest {
  const files = job.images.map(({ image, role, position }) => {
    const { extension, contentType } = mediaOf(image.format);
    const file: EditsApiFile = {
      filename: `${role === 'MASK' ? 'mask' : `image-${position + 1}`}.${extension}`,
      contentType,
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
