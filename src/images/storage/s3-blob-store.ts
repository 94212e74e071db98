import { type FileHandle, open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { S3Credentials } from '../../config/config.ts';
import type { S3Location } from '../../config/storage-url.ts';
import { StorageError } from '../../errors.ts';
import { checkBlobKey, isBlobKey } from './blob-key.ts';
import type { BlobEntry, BlobStore } from './blob-store.ts';
import { openS3Requests, type S3Requests, type S3Timeouts, type Watch } from './s3-requests.ts';

const PIECE_BYTES = 256 * 1024;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Not the name of a blob: `blobKey` begins with 32 hex digits. */
const PROBE_KEY = 'probe';

/**
 * Blobs in a bucket, one object per key. `put` streams the file; an object that S3 acknowledged is
 * durable. Needs GetObject, PutObject and DeleteObject on the objects, and ListBucket on the
 * bucket, without which S3 does not distinguish missing from forbidden.
 *
 * `timeouts` bound how long to wait for a silent server. `close` makes running requests fail.
 */
export async function openS3BlobStore(
  options: S3Location & { credentials: S3Credentials | null; timeouts?: S3Timeouts },
): Promise<{ blobs: BlobStore; close: () => void }> {
  const { bucket, prefix } = options;
  const { sdk, send, receive, close } = await openS3Requests(options, options);

  function objectOf(key: string) {
    checkBlobKey(key);
    return { Bucket: bucket, Key: prefix + key };
  }

  async function put(key: string, path: string): Promise<void> {
    const object = objectOf(key);
    const file = await open(path).catch(noFile);
    // An earlier call stored it, but its caller did not learn of it.
    if (file === null && (await size(key)) !== null) return;
    if (file === null) throw new StorageError('The file to store does not exist.');
    try {
      // Overwrites an existing blob with the same bytes to renew its time.
      const { size: bytes } = await file.stat();
      await send('store an image', async (client, watch) => {
        const body = Readable.from(contentOf(file, watch), { objectMode: false });
        body.on('error', watch.fail);
        try {
          const command = new sdk.PutObjectCommand({
            ...object,
            Body: body,
            ContentLength: bytes,
          });
          await client.send(command, { abortSignal: watch.signal });
        } finally {
          body.destroy();
        }
      });
    } finally {
      await file.close();
    }
    await rm(path, { force: true });
  }

  async function get(
    key: string,
    { range, signal: ended }: { range?: Range | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Readable> {
    const command = new sdk.GetObjectCommand({
      ...objectOf(key),
      ...(range && { Range: `bytes=${range.start}-${range.end}` }),
    });
    const { Body } = await send('read an image', (client, { signal }) =>
      client.send(command, { abortSignal: ended ? AbortSignal.any([signal, ended]) : signal }),
    );
    if (!(Body instanceof Readable)) throw new StorageError('The object storage returned no body.');
    return Body;
  }

  async function* pieces(key: string, range?: Range) {
    yield* receive(await get(key, { range }));
  }

  async function find(key: string) {
    const command = new sdk.HeadObjectCommand(objectOf(key));
    try {
      return await send('find an image', (client, { signal }) =>
        client.send(command, { abortSignal: signal }),
      );
    } catch (error) {
      if (isUnknown(error)) return null;
      throw error;
    }
  }

  const size = async (key: string) => (await find(key))?.ContentLength ?? null;

  async function copy(from: string, to: string): Promise<boolean> {
    const { Bucket, Key } = objectOf(from);
    const source = [Bucket, ...Key.split('/')].map(encodeURIComponent).join('/');
    const command = new sdk.CopyObjectCommand({ ...objectOf(to), CopySource: source });
    try {
      await send('copy an image', (client, { signal }) =>
        client.send(command, { abortSignal: signal }),
      );
      return true;
    } catch (error) {
      if (isUnknown(error)) return false;
      throw error;
    }
  }

  const blobs: BlobStore = {
    put,
    copy,
    size,
    modifiedAt: async (key) => (await find(key))?.LastModified ?? null,
    list: ({ after = '' } = {}) => listObjects({ sdk, send }, { bucket, prefix, after }),
    pieces: (key, range) => {
      checkBlobKey(key);
      return pieces(key, range);
    },
    read(key, range) {
      checkBlobKey(key);
      return Readable.from(pieces(key, range), { objectMode: false, highWaterMark: PIECE_BYTES });
    },
    async delete(key) {
      const command = new sdk.DeleteObjectCommand(objectOf(key));
      await send('delete an image', (client, { signal }) =>
        client.send(command, { abortSignal: signal }),
      ).catch(unlessUnknown);
    },
    async check(signal) {
      // Unlike HEAD, a GET response says what is wrong, such as a missing bucket.
      await get(PROBE_KEY, { signal }).then((body) => body.destroy(), unlessUnknown);
    },
  };
  return { blobs, close };
}

/** Page by page. */
async function* listObjects(
  { sdk, send }: Pick<S3Requests, 'sdk' | 'send'>,
  { bucket, prefix, after }: { bucket: string; prefix: string; after: string },
): AsyncGenerator<BlobEntry, void> {
  let from: { StartAfter?: string; ContinuationToken?: string } = after
    ? { StartAfter: prefix + after }
    : {};
  for (;;) {
    const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...from });
    const { Contents = [], NextContinuationToken } = await send(
      'list images',
      (client, { signal }) => client.send(command, { abortSignal: signal }),
    );
    for (const { Key = '', LastModified } of Contents) {
      const key = Key.slice(prefix.length);
      if (isBlobKey(key) && LastModified) yield { key, modifiedAt: LastModified };
    }
    if (NextContinuationToken === undefined) return;
    from = { ContinuationToken: NextContinuationToken };
  }
}

/** Starts from the beginning at each attempt. */
async function* contentOf(file: FileHandle, { signal, alive }: Watch): AsyncGenerator<Buffer> {
  for (let position = 0; ; ) {
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.allocUnsafeSlow(PIECE_BYTES),
      position,
    });
    if (bytesRead === 0 || signal.aborted) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
    alive();
  }
}

function noFile(error: unknown): null {
  if (isUnknown(error)) return null;
  throw new StorageError('The file to store cannot be read.', { cause: error });
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unlessUnknown(error: unknown): void {
  if (!isUnknown(error)) throw error;
}
