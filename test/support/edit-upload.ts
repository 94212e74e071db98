import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const SLICE_BYTES = 256 * 1024;
const SIGNATURE_AND_HEADER_BYTES = 8 + 25;
const BOUNDARY = 'the-boundary-of-large-uploads';

/** A request with images as it goes over the wire, made while it is sent. */
export interface EditUpload {
  /** Of the request, Content-Length included, and the CSRF header of `editImage`. */
  readonly headers: Record<string, string | number>;
  /** The body, once. */
  slices(): Generator<Buffer>;
}

/**
 * An upload of so many copies of `png`, each with a text of its own inside, so that no two files are
 * the same. Only `png` itself is in memory, however large the body.
 */
export function editUpload(options: {
  query: string;
  /** What stands in `input` besides the images. */
  input: object;
  png: Buffer;
  /** @default 1 */
  images?: number;
}): EditUpload {
  const { query, input, png, images: count = 1 } = options;
  const each = Array.from({ length: count }, (_, index) => index);
  const images = each.map(() => ({ file: null }));
  const variables = { input: { images, ...input } };
  const map = Object.fromEntries(each.map((i) => [i, [`variables.input.images.${i}.file`]]));
  const fields = `${field('operations', JSON.stringify({ query, variables }))}${field('map', JSON.stringify(map))}`;
  const pieces = [
    Buffer.from(fields),
    ...each.flatMap((index) => [
      Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${index}"; filename="a.png"\r\n` +
          'Content-Type: image/png\r\n\r\n',
      ),
      ...ownCopy(png),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ];
  const upload = uploadOf(BOUNDARY, pieces);
  return { ...upload, headers: { ...upload.headers, 'apollo-require-preflight': 'true' } };
}

/** A multipart form, in pieces as they go over the wire. */
export function uploadOf(boundary: string, pieces: readonly Buffer[]): EditUpload {
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': pieces.reduce((sum, { length }) => sum + length, 0),
    },
    *slices() {
      for (const piece of pieces) {
        for (let at = 0; at < piece.length; at += SLICE_BYTES) {
          yield piece.subarray(at, at + SLICE_BYTES);
        }
      }
    },
  };
}

/** A PNG with a text of its own inside, in pieces: only the text takes memory. */
export function ownCopy(png: Buffer): Buffer[] {
  return [
    png.subarray(0, SIGNATURE_AND_HEADER_BYTES),
    textChunk(`Comment\0${randomBytes(16).toString('hex')}`),
    png.subarray(SIGNATURE_AND_HEADER_BYTES),
  ];
}

function field(name: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** A tEXt chunk of a PNG file (PNG, third edition, 11.3.3.2). */
function textChunk(text: string): Buffer {
  const body = Buffer.from(`tEXt${text}`, 'latin1');
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}
