import { randomBytes } from 'node:crypto';
import { addAbortSignal, getDefaultHighWaterMark, Readable } from 'node:stream';
import type { EditsApiFile, EditsApiRequest } from '../edits-api.ts';

/**
 * Name of the form field for several images, which differs between servers. A single image is
 * always `image`.
 */
export type ImageField = 'image[]' | 'image';

/**
 * How much of a body the connection has received:
 * - `unsent`: nothing was requested, so no byte of the request was sent;
 * - `sending`: the closing boundary was not handed over, so no server can have the whole body;
 * - `sent`: everything was handed over, so the server may have it all.
 */
export type BodyProgress = 'unsent' | 'sending' | 'sent';

export interface MultipartBody {
  readonly contentType: string;
  /** Exact: `stream` yields this many bytes, or throws. */
  readonly contentLength: number;
  readonly progress: BodyProgress;
  /** Why an image could not be read as declared. The closing boundary was then withheld. */
  readonly failure: Error | null;
  /**
   * The body. A second call throws, so that it cannot be sent twice by accident. Files are opened
   * one after the other when needed. Aborting destroys the file being read.
   */
  stream(signal: AbortSignal): AsyncGenerator<Uint8Array, void>;
}

/**
 * An edit as multipart/form-data (RFC 7578): first the fields in order, so that a server can
 * validate them before the images arrive, then the images, then the mask. Field values are sent
 * unchanged in UTF-8; newlines are not normalised.
 */
export function createMultipartBody(
  request: EditsApiRequest,
  imageField: ImageField,
): MultipartBody {
  const boundary = `retouch-${randomBytes(18).toString('base64url')}`;
  const parts = layOut(request, imageField, boundary);
  const contentLength = parts.reduce(
    (sum, part) => sum + (Buffer.isBuffer(part) ? part.length : part.bytes),
    0,
  );
  let progress: BodyProgress = 'unsent';
  let failure: Error | null = null;

  async function* stream(signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    if (progress !== 'unsent') throw new Error('A multipart body can be sent only once.');
    progress = 'sending';
    for (const [index, part] of parts.entries()) {
      if (Buffer.isBuffer(part)) {
        // Set before the hand-over: from here on, the server may have everything.
        if (index === parts.length - 1) progress = 'sent';
        yield part;
        continue;
      }
      try {
        yield* readExactly(part, signal);
      } catch (error) {
        if (!signal.aborted) failure = error instanceof Error ? error : new Error(String(error));
        throw error;
      }
    }
  }

  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength,
    get progress() {
      return progress;
    },
    get failure() {
      return failure;
    },
    stream,
  };
}

/** Alternating text and images. The last part is the closing boundary. */
function layOut(
  { fields, images, mask }: EditsApiRequest,
  imageField: ImageField,
  boundary: string,
): (Buffer | EditsApiFile)[] {
  const parts: (Buffer | EditsApiFile)[] = [];
  let text = '';
  for (const [name, value] of fields) {
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"\r\n\r\n${value}\r\n`;
  }
  const imageName: string = images.length > 1 ? imageField : 'image';
  const files = images.map((file) => ({ name: imageName, file }));
  if (mask !== undefined) files.push({ name: 'mask', file: mask });
  for (const { name, file } of files) {
    text +=
      `--${boundary}\r\n` +
      `Content-Disposition: form-data; name="${name}"; filename="${escapeName(file.filename)}"\r\n` +
      `Content-Type: ${file.contentType}\r\n\r\n`;
    parts.push(Buffer.from(text), file);
    text = '\r\n';
  }
  parts.push(Buffer.from(text), Buffer.from(`--${boundary}--\r\n`));
  return parts;
}

/** Escapes names as in the HTML standard, so that they cannot end their quotes or line. */
function escapeName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/**
 * The memory of a chunk may be reused once the next one is requested. undici waits until a chunk
 * that fills the socket's buffer is written; after a smaller one it continues at once.
 */
const MIN_DRAINED_BYTES = getDefaultHighWaterMark(false);

/** @throws if the file has fewer or more bytes than declared; never yields more. */
async function* readExactly(file: EditsApiFile, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const chunks = file.open();
  if (chunks instanceof Readable) addAbortSignal(signal, chunks);
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (bytes > file.bytes) break;
    yield chunk.length < MIN_DRAINED_BYTES ? Buffer.from(chunk) : chunk;
  }
  if (bytes !== file.bytes) {
    const found = bytes > file.bytes ? 'more' : String(bytes);
    throw new Error(`${file.filename} must have ${file.bytes} bytes, but has ${found}.`);
  }
}
