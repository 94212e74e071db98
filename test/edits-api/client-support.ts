import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { createEditsApi, type EditsApiOptions } from '../../src/edits-api/client.ts';
import type { EditsApiCall, EditsApiFile, EditsApiRequest } from '../../src/edits-api/edits-api.ts';
import { EditsApiError } from '../../src/edits-api/edits-api-error.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { serve } from '../support/http.ts';
import { temporaryStorage } from '../support/storage.ts';

export const KEY = 'sk-secret-0123456789';

/** An image of a request that lies in memory. */
export function fileOf(content: Buffer, more: Partial<EditsApiFile> = {}): EditsApiFile {
  return {
    filename: 'image-1.png',
    contentType: 'image/png',
    bytes: content.length,
    open: () => Readable.from(pieces(content), { objectMode: false }),
    ...more,
  };
}

function* pieces(content: Buffer): Generator<Buffer> {
  const step = 64 * 1024;
  for (let at = 0; at < content.length; at += step) yield content.subarray(at, at + step);
}

export function requestOf(more: Partial<EditsApiRequest> = {}): EditsApiRequest {
  return {
    images: [fileOf(Buffer.from('not looked at by the client'))],
    fields: [['prompt', 'a hat']],
    ...more,
  };
}

/** Short enough for tests of images that never come. */
const PATIENCE = { totalMs: 300, firstDelayMs: 10 };

/** A client with real staging; `edit` sends a small request unless told otherwise. */
export async function clientOf(options: Partial<EditsApiOptions> & { url: string }) {
  const { dir, staging, stagedFiles } = await temporaryStorage();
  const api = createEditsApi({ key: KEY, staging, patience: PATIENCE, ...options });
  onTestFinished(() => api.close());
  const rawAnswerPath = join(dir, 'answer');
  return {
    api,
    rawAnswerPath,
    stagedFiles,
    /** What is kept of the answer, behind its head. */
    async rawAnswer() {
      const kept = await readFile(rawAnswerPath);
      return kept.subarray(kept.indexOf('\r\n\r\n') + 4);
    },
    readAgain: (expectedImages = 1) =>
      api.readSaved({
        bytes: createReadStream(rawAnswerPath),
        expectedImages,
        signal: AbortSignal.timeout(30_000),
      }),
    edit: (request: Partial<EditsApiRequest> = {}, call: Partial<EditsApiCall> = {}) =>
      api.edit(requestOf(request), { timeoutMs: PATIENCE_MS, rawAnswerPath, ...call }),
  };
}

/** A client of an HTTP server that lives as long as the test. */
export async function clientOfServer(
  listener: RequestListener,
  options: Partial<EditsApiOptions> = {},
) {
  const { url } = await serve(listener);
  return { url, ...(await clientOf({ url: `${url}/v1`, ...options })) };
}

/** A client of a server that answers each request, once it is read, with these bytes. */
export function clientOfAnswer(
  body: string | Buffer,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
  options: Partial<EditsApiOptions> = {},
) {
  return clientOfServer(async (req, res) => {
    await buffer(req);
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  }, options);
}

/** Serves bare connections on 127.0.0.1 until the test ends. Answers the base URL of an edits API. */
export async function serveSockets(listener: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    listener(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

/** The error that a call must end with. */
export async function failureOf(call: Promise<unknown>): Promise<EditsApiError> {
  const error = await call.then(
    () => new Error('the call did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof EditsApiError) return error;
  throw error;
}

export function answerOf(images: readonly Buffer[], more: Record<string, unknown> = {}): string {
  const data = images.map((image) => ({ b64_json: image.toString('base64') }));
  return JSON.stringify({ created: 1, data, usage: { total_tokens: 5 }, ...more });
}
