import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import { sendUnheld } from '../graphql/prepare-response.ts';
import { base64Length, base64Text } from './base64-text.ts';
import {
  createdAt,
  type EditWithResult,
  type ResultImage,
  resultImages,
  usageOf,
  usedParameters,
} from './edit-result.ts';

/** A part of a body: text, or an image as base64. */
export type BodyPart = string | ResultImage;

/**
 * Sends an `ImagesResponse`. The images stream from the blobs, so memory does not depend on their
 * size; the length is known before.
 * @throws if a blob cannot be read, or the connection closes: the response is cut then.
 */
export async function sendImages(
  res: ServerResponse,
  edit: EditWithResult,
  blobs: Pick<BlobStore, 'pieces'>,
): Promise<void> {
  const parts = imagesResponse(edit);
  const lengths = parts.map((part) =>
    typeof part === 'string' ? Buffer.byteLength(part) : base64Length(part.bytes),
  );
  sendUnheld(res);
  res.writeHead(200, {
    'content-type': 'application/json',
    'content-length': lengths.reduce((sum, length) => sum + length, 0),
  });
  await pipeline(Readable.from(bytesOf(parts, blobs), { objectMode: false }), res);
}

function imagesResponse(edit: EditWithResult): BodyPart[] {
  // Of the edit, not of one image: upstreams revise the prompt once.
  const revised = edit.answerRevisedPrompt;
  const rest = revised === null ? '' : `,"revised_prompt":${JSON.stringify(revised)}`;
  const images = resultImages(edit).flatMap((image, index): BodyPart[] => [
    `${index === 0 ? '' : ','}{"b64_json":"`,
    image,
    `"${rest}}`,
  ]);
  const others = JSON.stringify({ ...usedParameters(edit), ...usageOf(edit) });
  return [`{"created":${createdAt(edit)},"data":[`, ...images, `],${others.slice(1)}`];
}

/** The bytes of parts, in order. */
export async function* bytesOf(
  parts: readonly BodyPart[],
  blobs: Pick<BlobStore, 'pieces'>,
): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if (typeof part === 'string') yield Buffer.from(part);
    else yield* base64Text(blobs.pieces(part.key));
  }
}
