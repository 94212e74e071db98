import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import busboy from 'busboy';
import { ApiRefusal } from './refusal.ts';

/** The API's documented limit for one image. */
export const MAX_FILE_BYTES = 50 * 1024 * 1024;

/** 16 images and a mask are allowed; one more of each is read so that the error can name it. */
const MAX_KEPT_FILES = 18;
const MAX_FIELD_BYTES = 1024 * 1024;
const MAX_FIELDS = 200;

export interface FormFile {
  /** The field's name. */
  readonly field: string;
  readonly filename: string | null;
  readonly contentType: string;
  /** Bytes received so far; stops at MAX_FILE_BYTES if `tooLarge`. */
  readonly bytes: number;
  readonly tooLarge: boolean;
  /** Lower-case hex; null if the file was only counted. */
  readonly sha256: string | null;
  /** Empty if the file was only counted. */
  readonly data: Buffer;
}

export interface Form {
  /** In the order of the body; names may repeat. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** In the order of the body. */
  readonly files: readonly FormFile[];
}

/** The client disconnected before its body was complete. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/**
 * Reads a whole multipart body. Without `keepBytes`, files are only counted. Holds the images of
 * one request until its response.
 * @throws ApiRefusal for another content type, a malformed form or one over a limit, always after
 *   the whole body was read; ClientGone if the body did not end.
 */
export function readForm(req: IncomingMessage, options: { keepBytes: boolean }): Promise<Form> {
  const contentType = req.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\b/i.test(contentType)) {
    return drain(req).then(() => Promise.reject(unsupportedContentType(contentType)));
  }
  const { promise, resolve, reject } = Promise.withResolvers<Form>();
  const fields: [string, string][] = [];
  const files: FormFile[] = [];
  let refusal: ApiRefusal | null = null;

  let parser: busboy.Busboy;
  try {
    parser = busboy({
      headers: req.headers,
      defParamCharset: 'utf8',
      limits: {
        fileSize: MAX_FILE_BYTES,
        files: MAX_KEPT_FILES,
        fields: MAX_FIELDS,
        fieldSize: MAX_FIELD_BYTES,
      },
    });
  } catch {
    return drain(req).then(() => Promise.reject(malformed()));
  }

  parser.on('field', (name, value, info) => {
    if (info.valueTruncated || info.nameTruncated) refusal ??= malformed();
    fields.push([name, value]);
  });
  parser.on('file', (field, stream, info) => {
    const index = files.push(counted(field, info)) - 1;
    const hash = options.keepBytes ? createHash('sha256') : null;
    const chunks: Buffer[] = [];
    let bytes = 0;
    let tooLarge = false;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash?.update(chunk);
      if (options.keepBytes) chunks.push(chunk);
    });
    stream.on('limit', () => {
      tooLarge = true;
      chunks.length = 0;
    });
    stream.on('error', () => {
      // The parser reports the same error for the whole form.
    });
    stream.on('end', () => {
      const sha256 = hash?.digest('hex') ?? null;
      files[index] = {
        ...counted(field, info),
        bytes,
        tooLarge,
        sha256,
        data: Buffer.concat(chunks),
      };
    });
  });
  parser.on('fieldsLimit', () => {
    refusal ??= malformed();
  });
  let broken = false;
  parser.on('error', () => {
    broken = true;
    req.unpipe(parser);
    drain(req).then(() => reject(malformed()), reject);
  });
  parser.on('close', () => {
    if (refusal !== null) reject(refusal);
    else if (!broken) resolve({ fields, files });
  });
  req.once('close', () => {
    if (!req.complete) reject(new ClientGone());
  });
  req.pipe(parser);
  return promise;
}

/** Reads and drops a whole body, so that the client reads our response instead of a reset. */
export async function drain(req: IncomingMessage): Promise<void> {
  if (req.complete && req.readableEnded) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  req.once('end', resolve);
  req.once('close', () => (req.complete ? resolve() : reject(new ClientGone())));
  req.resume();
  return promise;
}

function counted(field: string, info: busboy.FileInfo): FormFile {
  return {
    field,
    filename: info.filename ?? null,
    contentType: info.mimeType,
    bytes: 0,
    tooLarge: false,
    sha256: null,
    data: Buffer.alloc(0),
  };
}

function malformed(): ApiRefusal {
  return new ApiRefusal('Could not parse multipart form.', { code: 'invalid_multipart_form_data' });
}

function unsupportedContentType(contentType: string): ApiRefusal {
  return new ApiRefusal(
    `Unsupported content type: '${contentType}'. This API method only accepts ` +
      "'multipart/form-data' requests. Please try again with a supported content type.",
    { code: 'unsupported_content_type' },
  );
}
