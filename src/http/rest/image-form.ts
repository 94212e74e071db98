import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import busboy from 'busboy';
import { InvalidInputError } from '../../errors.ts';
import type { FileUpload } from '../../images/receive/receive-image.ts';

/** Whatever else a form carries is dropped. */
const LIMITS = { files: 1, fields: 16, fieldSize: 1024, parts: 32 };

/**
 * Begins to read a multipart/form-data body (RFC 7578) with one file, under whatever name. Settles
 * when the file's part begins; its stream ends when the whole form was read and had no other file.
 *
 * @throws InvalidInputError naming `field` for a malformed form, one with no file or with several. The
 * stream of the file throws the same.
 */
export async function readImageForm(
  req: IncomingMessage,
  { field, maxFileBytes }: { field: string; maxFileBytes: number },
): Promise<FileUpload> {
  const malformed = (error: unknown) =>
    new InvalidInputError(field, 'INVALID_VALUE', `The form is malformed: ${reasonOf(error)}.`);
  const parser = createParser(req, maxFileBytes, malformed);
  const begun = Promise.withResolvers<FileUpload>();
  const whole = Promise.withResolvers<void>();
  // Whoever reads the file is told of it; when there is none, `begun` tells.
  whole.promise.catch(() => undefined);
  const end = (error: Error) => {
    begun.reject(error);
    whole.reject(error);
    // To its end, so that the connection can carry the next request.
    req.unpipe(parser).resume();
  };

  parser.on('file', (_name, file) => {
    // Its reader meets the error by reading.
    file.on('error', () => undefined);
    begun.resolve({ createReadStream: () => Readable.from(throughTo(whole.promise, file)) });
  });
  parser.on('filesLimit', () =>
    end(
      new InvalidInputError(
        field,
        'TOO_MANY',
        'The form must have exactly one file; it has several.',
      ),
    ),
  );
  parser.on('error', (error) => end(malformed(error)));
  parser.on('close', () => {
    whole.resolve();
    begun.reject(
      new InvalidInputError(field, 'REQUIRED', 'The form must have exactly one file; it has none.'),
    );
  });
  req.once('close', () => {
    if (!req.complete) parser.destroy(new Error('the body ended early'));
  });
  req.pipe(parser);
  return begun.promise;
}

function createParser(
  { headers }: IncomingMessage,
  maxFileBytes: number,
  malformed: (error: unknown) => Error,
): busboy.Busboy {
  try {
    // The parser takes a part that reaches its limit for one that exceeds it.
    return busboy({ headers, limits: { ...LIMITS, fileSize: maxFileBytes + 1 } });
  } catch (error) {
    throw malformed(error);
  }
}

async function* throughTo(whole: Promise<void>, file: Readable): AsyncGenerator<Buffer> {
  yield* file;
  await whole;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
