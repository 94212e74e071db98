import {
  Agent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { text } from 'node:stream/consumers';
import type { FuzzRequest } from './fuzz-values.ts';

export interface FuzzOptions {
  /** What no answer may contain. */
  readonly foreign?: readonly string[];
  /** Called with the status of each answer. */
  readonly onStatus?: (status: number) => void;
}

/**
 * Sends a request of the fuzz and reads its answer but for a stream's, which it leaves. Looks at the
 * thumbnail of what was uploaded.
 * @returns What is wrong with the answer; null: nothing. Wrong are all 5xx but a 503 that says when to
 * come again, an internal error, and what is not JSON.
 */
async function sendFuzz(
  url: string,
  request: FuzzRequest,
  agent: Agent,
  { foreign = [], onStatus }: FuzzOptions,
): Promise<string | null> {
  const response = await answerTo(url, request, agent);
  const { statusCode: status = 0, headers } = response;
  onStatus?.(status);
  const type = headers['content-type'] ?? '';
  if (!type.includes('json')) {
    response.destroy();
    return /^(text\/event-stream|multipart\/mixed)/.test(type) ? null : `${status} as ${type}`;
  }
  const body = await text(response);
  if (foreign.some((mark) => body.includes(mark))) return `${status}, foreign: ${body}`;
  if (status === 503 && headers['retry-after'] !== undefined) return null;
  if (status >= 500 || body.includes('INTERNAL_SERVER_ERROR')) return `${status} ${body}`;
  try {
    const answer = JSON.parse(body);
    return status === 201 ? await thumbnailFault(answer.url, agent) : null;
  } catch {
    return `${status}, not JSON: ${body}`;
  }
}

/** Whoever opens an image in a list makes the service decode it. */
async function thumbnailFault(url: string, agent: Agent): Promise<string | null> {
  const response = await sent(`${url}?w=256`, { method: 'GET', agent });
  const body = await text(response);
  const { statusCode: status = 0 } = response;
  return status >= 500 && status !== 503 ? `${status} ${body} for the thumbnail of` : null;
}

/** The answer may come before the body is sent: what fails after it does not matter. */
function answerTo(
  url: string,
  { path, headers, body }: FuzzRequest,
  agent: Agent,
): Promise<IncomingMessage> {
  const all = { ...headers, 'content-length': body.length };
  return sent(`${url}${path}`, { method: 'POST', agent, headers: all }, body);
}

function sent(url: string, options: RequestOptions, body?: Uint8Array): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(url, options, (response) => {
      response.on('error', () => {});
      resolve(response);
    })
      .on('error', reject)
      .end(body);
  });
}

/**
 * Some at once over connections that are used again, as a load balancer does, until `next` returns
 * null. @returns What was wrong, with the requests' bodies.
 */
export async function sendFuzzes(
  url: string,
  next: () => FuzzRequest | null,
  atOnce: number,
  options: FuzzOptions = {},
): Promise<string[]> {
  const wrong: string[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  async function sendAll(): Promise<void> {
    for (let request = next(); request !== null; request = next()) {
      const found = await sendFuzz(url, request, agent, options).catch((error: unknown) =>
        String(error),
      );
      if (found !== null) {
        const body = Buffer.from(request.body).toString('latin1').slice(0, 2_000);
        wrong.push(`${found.slice(0, 500)} for ${JSON.stringify(request.headers)} ${body}`);
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, sendAll));
  agent.destroy();
  return wrong;
}
