import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { png } from './test-images.ts';

/** What a relay returns; the body as text, or as JSON. */
export interface RelayResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A compatible server that returns what a test says, and counts the POSTs for edits. */
export interface Relay {
  /** Base URL of its edits API. */
  readonly url: string;
  /** Requests that it has read whole. */
  readonly posts: number;
  stop(): Promise<void>;
}

/**
 * @param respond Called for each POST with its number from 1. Null: one image with its usage.
 */
export async function startRelay(respond: (post: number) => RelayResponse | null): Promise<Relay> {
  const image = (await png(64, 48)).toString('base64');
  let posts = 0;
  const server = createServer(async (req, res) => {
    await buffer(req);
    // It has no list of models.
    if (req.method !== 'POST') return void res.writeHead(404).end();
    posts += 1;
    send(res, respond(posts) ?? { status: 200, body: edited(image) });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    get posts() {
      return posts;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function send(res: ServerResponse, { status, headers, body = '' }: RelayResponse): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/plain' : 'application/json';
  res.writeHead(status, { 'content-type': type, ...headers });
  res.end(isText ? body : JSON.stringify(body));
}

function edited(image: string) {
  const details = { text_tokens: 3, image_tokens: 323 };
  const usage = { total_tokens: 1_382, input_tokens: 326, output_tokens: 1_056 };
  return {
    created: 1_795_000_000,
    data: [{ b64_json: image }],
    usage: { ...usage, input_tokens_details: details },
  };
}
