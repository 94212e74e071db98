import type { IncomingMessage } from 'node:http';
import { UnreadableBodyError } from '../../../errors.ts';
import { encodingProblem } from '../../graphql/content-negotiation.ts';
import { MAX_FRAMING_BYTES, MULTIPART } from '../../graphql/uploads.ts';
import { declaredBytes } from '../../upload-places.ts';
import { MAX_FILES, MAX_TEXT_BYTES } from './image-source.ts';
import { boundaryOf } from './part-header.ts';
import { bodyTooLarge } from './request-body.ts';

export type BodyFormat = {
  /** Limit of the whole body. */
  readonly maxBytes: number;
} & ({ readonly spelling: 'form'; readonly boundary: string } | { readonly spelling: 'json' });

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** Base64, with room for line breaks and escapes in it. */
const JSON_BYTES_PER_BYTE = 1.5;

/**
 * How to read the body of a request, by its headers only.
 * @throws UnreadableBodyError for another type, a compressed body, or one that is too large.
 */
export function bodyFormat(req: IncomingMessage, maxFileBytes: number): BodyFormat {
  const problem = encodingProblem(req.headers['content-encoding']);
  if (problem !== null) throw new UnreadableBodyError(problem, 'UNSUPPORTED_MEDIA_TYPE');
  const format = formatOf((req.headers['content-type'] ?? '').trim(), MAX_FILES * maxFileBytes);
  if ((declaredBytes(req) ?? 0) > format.maxBytes) throw bodyTooLarge(format.maxBytes);
  return format;
}

function formatOf(type: string, fileBytes: number): BodyFormat {
  if (JSON_TYPE.test(type)) {
    const maxBytes = Math.ceil(fileBytes * JSON_BYTES_PER_BYTE) + MAX_TEXT_BYTES;
    return { spelling: 'json', maxBytes };
  }
  if (!MULTIPART.test(type)) {
    throw new UnreadableBodyError(
      'The Content-Type of the request body must be multipart/form-data or application/json.',
      'UNSUPPORTED_MEDIA_TYPE',
    );
  }
  const boundary = boundaryOf(type);
  if (boundary === null) {
    throw new UnreadableBodyError('The Content-Type multipart/form-data needs a boundary.');
  }
  const maxBytes = fileBytes + MAX_TEXT_BYTES + MAX_FRAMING_BYTES;
  return { spelling: 'form', boundary, maxBytes };
}
