import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import { type ContentEncoding, chooseEncoding } from '../page/content-encoding.ts';
import { chunkBuffer } from './chunk-buffer.ts';

/** Below this size, compression saves less than it costs. */
const MIN_BYTES = 1_000;

/** Only base64 makes a larger response, and more effort hardly compresses it. */
const LARGE_BYTES = 1024 * 1024;

/** Types that are sent as one piece. The schema is text. */
const WHOLE = /^(application\/(graphql-response\+|problem\+)?json|text\/plain)\s*(;|$)/i;
const STREAM = /^(text\/event-stream|multipart\/mixed)\s*(;|$)/i;

const unheld = new WeakSet<ServerResponse>();

/** Lets a JSON response pass as it is written, and uncompressed. Call it before it is written. */
export function sendUnheld(res: ServerResponse): void {
  unheld.add(res);
}

/**
 * Prepares every response of the API. Proxies must not buffer or store an event stream. JSON and
 * text of 1 kB or more are compressed with br or gzip if the client accepts it; nothing else is,
 * and no part of a file. Call this before anything is written.
 */
export function prepareResponse(req: IncomingMessage, res: ServerResponse): void {
  const original = {
    writeHead: res.writeHead.bind(res),
    write: res.write.bind(res),
    end: res.end.bind(res),
  };
  /** A response in one piece is held until it ends. */
  let held: { status: number; chunks: Buffer[] } | null = null;

  /** Processes the head of a response; returns whether its body passes unchanged. */
  function decide(status: number): boolean {
    const type = String(res.getHeader('content-type') ?? '');
    if (STREAM.test(type)) {
      res.setHeader('x-accel-buffering', 'no');
      res.setHeader('cache-control', 'no-store');
      // Yoga's `none` is not a content coding.
      res.removeHeader('content-encoding');
    }
    const isWhole =
      WHOLE.test(type) && !res.hasHeader('content-encoding') && status !== 206 && !unheld.has(res);
    if (isWhole) appendVary(res, 'Accept-Encoding');
    if (isWhole && req.method !== 'HEAD' && status !== 204 && status !== 304) {
      held = { status, chunks: [] };
      return false;
    }
    Object.assign(res, original);
    return true;
  }

  function writeHead(status: number, ...rest: (string | OutgoingHttpHeaders | undefined)[]) {
    for (const given of rest) {
      if (typeof given === 'string') res.statusMessage = given;
      else setHeaders(res, given);
    }
    if (decide(status)) original.writeHead(status);
    return res;
  }

  function write(chunk: string | Uint8Array, ...rest: unknown[]): boolean {
    if (held === null && decide(res.statusCode)) {
      return Reflect.apply(res.write, res, [chunk, ...rest]);
    }
    held?.chunks.push(chunkBuffer(chunk, rest[0]));
    const done = rest.find((one) => typeof one === 'function');
    if (done !== undefined) queueMicrotask(() => done(null));
    return true;
  }

  function end(...args: unknown[]) {
    if (held === null && decide(res.statusCode)) return Reflect.apply(res.end, res, args);
    const [chunk, ...rest] = args;
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
      held?.chunks.push(chunkBuffer(chunk, rest[0]));
    }
    const done = args.find((one) => typeof one === 'function');
    if (done !== undefined) res.once('finish', () => done());
    Object.assign(res, original);
    const { status, chunks } = held ?? { status: res.statusCode, chunks: [] };
    send(status, chunks);
    return res;
  }

  function send(status: number, chunks: readonly Buffer[]): void {
    const encoding = chooseEncoding(req.headers['accept-encoding']);
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (encoding === null || length < MIN_BYTES) {
      res.setHeader('content-length', length);
      res.writeHead(status);
      for (const chunk of chunks.slice(0, -1)) res.write(chunk);
      res.end(chunks.at(-1));
      return;
    }
    res.removeHeader('content-length');
    res.setHeader('content-encoding', encoding);
    res.writeHead(status);
    const encoder = createEncoder(encoding, length > LARGE_BYTES);
    encoder.on('error', () => res.destroy());
    res.once('close', () => encoder.destroy());
    encoder.pipe(res);
    for (const chunk of chunks) encoder.write(chunk);
    encoder.end();
  }

  Object.assign(res, { writeHead, write, end });
}

function createEncoder(encoding: ContentEncoding, isLarge: boolean) {
  if (encoding === 'gzip') return createGzip({ level: isLarge ? 1 : 6 });
  return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: isLarge ? 1 : 4 } });
}

function setHeaders(res: ServerResponse, headers: OutgoingHttpHeaders | undefined): void {
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value !== undefined) res.setHeader(name, value);
  }
}

function appendVary(res: ServerResponse, name: string): void {
  const before = String(res.getHeader('vary') ?? '');
  res.setHeader('vary', before === '' ? name : `${before}, ${name}`);
}
