import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Reply } from './refusal.ts';

/** One request, as routes use it. */
export interface Call {
  readonly requestId: string;
  /** `http://host:port` of this server. */
  readonly origin: string;
  /** Start, by performance.now(). */
  readonly startedAtMs: number;
  /** Aborted when the client disconnects or the sandbox stops. */
  readonly signal: AbortSignal;
}

/** Writes the head. Every response has the two headers that the API's support asks for. */
export function startAnswer(
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  call: Call,
): void {
  res.writeHead(status, {
    'x-request-id': call.requestId,
    'openai-processing-ms': String(Math.round(performance.now() - call.startedAtMs)),
    ...headers,
  });
}

export function sendReply(res: ServerResponse, reply: Reply, call: Call): void {
  const length = String(Buffer.byteLength(reply.body));
  startAnswer(res, reply.status, { ...reply.headers, 'content-length': length }, call);
  res.end(reply.body);
}

export function sendJson(res: ServerResponse, value: unknown, call: Call): void {
  const body = `${JSON.stringify(value)}\n`;
  sendReply(res, { status: 200, headers: { 'content-type': 'application/json' }, body }, call);
}
