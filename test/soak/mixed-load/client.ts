import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What the clients met. */
export interface Tally {
  requests: number;
  /** 503 with Retry-After: the service has too much to do. By their texts. */
  readonly busy: Map<string, number>;
  /** Answers that should not be, by their texts. */
  readonly wrong: Map<string, number>;
}

export function note(texts: Map<string, number>, text: string): void {
  texts.set(text, (texts.get(text) ?? 0) + 1);
}

export function totalOf(texts: ReadonlyMap<string, number>): number {
  return [...texts.values()].reduce((sum, count) => sum + count, 0);
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
  readonly sha256: string;
  /** Of JSON and text; empty for anything else. */
  readonly text: string;
}

type Data = ReturnType<typeof JSON.parse>;

/** One of many clients, with connections of its own that stay open. */
export interface Client {
  readonly url: string;
  /** @param options.allowed Statuses that are no mistake. @default 2xx */
  send(
    path: string,
    options?: {
      method?: string;
      headers?: Record<string, string | number>;
      body?: Iterable<Buffer>;
      allowed?: readonly number[];
    },
  ): Promise<Answer>;
  /** Null: it was busy, or answered wrongly. */
  query(query: string, variables?: object): Promise<Data>;
  close(): void;
}

const TEXT = /^(?:application\/(?:.*\+)?json|text\/(?!event-stream))/;
const SHOWN = 300;

export function createClient({ url, tally }: { url: string; tally: Tally }): Client {
  const agent = new Agent({ keepAlive: true });

  async function send(
    path: string,
    { method = 'GET', headers = {}, body, allowed = [] }: Parameters<Client['send']>[1] = {},
  ): Promise<Answer> {
    tally.requests += 1;
    const req = request(new URL(path, url), { method, headers, agent });
    const answered = once(req, 'response') as Promise<[IncomingMessage]>;
    const sending = body ? pipeline(Readable.from(body), req) : Promise.resolve(req.end());
    sending.catch(() => undefined);
    try {
      const [res] = await answered;
      const answer = await read(res);
      // An answer that came early ends the request.
      if (!req.writableFinished) req.destroy();
      const { status } = answer;
      const text = `${method} ${path.split('?')[0]?.slice(0, 24)}: ${status} ${answer.text.slice(0, SHOWN)}`;
      if (status === 503 && answer.headers['retry-after'] !== undefined) note(tally.busy, text);
      else if (status >= 300 && !allowed.includes(status)) note(tally.wrong, text);
      return answer;
    } catch (error) {
      note(tally.wrong, `${method} ${path.slice(0, 24)}: ${error}`);
      throw error;
    }
  }

  return {
    url,
    send,
    async query(query, variables = {}) {
      const headers = { 'content-type': 'application/json' };
      const body = [Buffer.from(JSON.stringify({ query, variables }))];
      const { status, text } = await send('/graphql', { method: 'POST', headers, body });
      if (status !== 200) return null;
      const { data, errors } = JSON.parse(text);
      if (errors !== undefined)
        note(tally.wrong, `${query.slice(0, 60)}: ${JSON.stringify(errors).slice(0, SHOWN)}`);
      return data ?? null;
    },
    close: () => agent.destroy(),
  };
}

async function read(res: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = res;
  const hash = createHash('sha256');
  const isText = TEXT.test(headers['content-type'] ?? '');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of res as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
    if (isText) chunks.push(chunk);
  }
  return {
    status,
    headers,
    bytes,
    sha256: hash.digest('hex'),
    text: Buffer.concat(chunks).toString(),
  };
}
