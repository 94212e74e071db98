import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import busboy from 'busboy';
import { InvalidInputError } from '../../errors.ts';
import type { FileUpload } from '../../images/receive/receive-image.ts';

/** Other parts of a form are dropped. */
const LIMITS = { files: 1, fields: 16, fieldSize: 1024, parts: 32 };

/**
 * Reads a multipart/form-data body (RFC 7578) with one file of any name. Settles when the file's
 * part begins; its stream ends when the whole form was read without a second file.
 *
 * @throws InvalidInputError naming `field` if the form is malformed, or has no file or several. The
 *   stream of the file throws the same.
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
  // Reported to the reader of the file; without a file, by `begun`.
  whole.promise.catch(() => undefined);
  const end = (error: Error) => {
    begun.reject(error);
    whole.reject(error);
    // Reads to the end, so that the connection can carry the next request.
    req.unpipe(parser).resume();
  };

  parser.on('file', (_name, file) => {
    // Its reader sees the error when it reads.
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
    // The parser treats a part at its limit like one above it.
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
