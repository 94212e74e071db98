import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import { DUMMY_ACCOUNT } from '@20minutes/s3rver/lib/models/account.js';
import { onTestFinished } from 'vitest';
import { keysIn, listObjects } from './s3-listing.ts';

const S3_KEY_ID = 'AKIACANARYKEYID';
export const S3_SECRET = 'canary-secret-access-key';
DUMMY_ACCOUNT.createKeyPair(S3_KEY_ID, S3_SECRET);

const BUCKET = 'images';

/**
 * What it does to each request, or to those of which `only` matches the method and the URL:
 * - `reset`: the connection is cut; `hang`: nothing is read or answered;
 * - `busy`: 503 SlowDown, unread;
 * - `cut`: half of the body goes out, then the connection is cut; `stall`: then nothing more.
 */
export interface S3Fault {
  readonly kind: 'reset' | 'hang' | 'busy' | 'cut' | 'stall';
  readonly only?: RegExp;
  /** How many requests it meets. @default all until it is mended */
  readonly times?: number;
}

export interface S3Server {
  /** Settings for the service. */
  readonly env: Record<string, string>;
  readonly endpoint: string;
  readonly bucket: string;
  /** Method and path of each request, in the order they came. */
  readonly requests: readonly string[];
  /** From now on, in place of the fault before; null: it is well. */
  fail(fault: S3Fault | null): void;
  /** Keys of what is stored, with the prefix. */
  keys(): Promise<string[]>;
  /** What a request's connection did, if it is open still: for tests of what is left behind. */
  openConnections(): Promise<number>;
}

/** An S3 server that checks signatures, with one bucket; it goes with the test. */
export async function startS3Server({ pageSize = 1_000 } = {}): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'retouch-s3-'));
  const bucketDir = join(directory, BUCKET);
  const s3 = new S3rver({ directory, silent: true, vhostBuckets: false });
  await s3.store.putBucket(BUCKET);
  const handleObject = s3.callback();

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(req.url ?? '', endpoint);
    if (pathname !== `/${BUCKET}/`) return handleObject(req, res);
    const isSigned = req.headers.authorization?.includes(`Credential=${S3_KEY_ID}/`);
    res.writeHead(isSigned ? 200 : 403, { 'content-type': 'application/xml' });
    res.end(await listObjects(bucketDir, searchParams, pageSize));
  }

  const requests: string[] = [];
  let fault: S3Fault | null = null;
  let met = 0;

  function takeFault(req: IncomingMessage): S3Fault['kind'] | null {
    if (fault?.only?.test(`${req.method} ${req.url}`) === false) return null;
    if (fault === null || met >= (fault.times ?? Number.POSITIVE_INFINITY)) return null;
    met += 1;
    return fault.kind;
  }

  const server = createServer((req, res) => {
    requests.push(`${req.method} ${req.url}`);
    const kind = takeFault(req);
    if (kind === 'reset') req.socket.destroy();
    else if (kind === 'busy') sendBusy(res);
    else if (kind !== 'hang') {
      if (kind !== null) sendHalf(res, kind);
      void handle(req, res);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true, force: true });
  });

  return {
    env: {
      STORAGE_URL: `s3://${BUCKET}/some/prefix?endpoint=${encodeURIComponent(endpoint)}`,
      AWS_ACCESS_KEY_ID: S3_KEY_ID,
      AWS_SECRET_ACCESS_KEY: S3_SECRET,
    },
    endpoint,
    bucket: BUCKET,
    requests,
    fail(next) {
      fault = next;
      met = 0;
    },
    keys: () => keysIn(bucketDir),
    openConnections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
  };
}

function sendBusy(res: ServerResponse): void {
  res.writeHead(503, { 'content-type': 'application/xml' });
  res.end('<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Later.</Message></Error>');
}

/** Lets the first half of the body pass, by what Content-Length promises. */
function sendHalf(res: ServerResponse, kind: 'cut' | 'stall'): void {
  const write = res.write.bind(res);
  let left: number | undefined;
  res.write = ((chunk: Buffer, ...rest: [never]) => {
    left ??= Math.floor(Number(res.getHeader('content-length')) / 2);
    const part = chunk.subarray(0, left);
    left -= part.length;
    if (part.length > 0) write(part, ...rest);
    if (left === 0 && kind === 'cut') setImmediate(() => res.destroy());
    return left > 0;
  }) as typeof res.write;
}
