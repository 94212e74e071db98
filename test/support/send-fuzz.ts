import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { FuzzRequest } from './fuzz-requests.ts';

/**
 * Sends a request of the fuzz on a connection of its own, and reads its answer but for a stream's,
 * which it leaves.
 * @returns What is wrong with the answer; null: nothing. Wrong are all 5xx but a 503 that says when to
 * come again, an internal error, and what is not JSON.
 */
async function sendFuzz(url: string, request: FuzzRequest): Promise<string | null> {
  const response = await answerTo(url, request);
  const { statusCode: status = 0, headers } = response;
  const type = headers['content-type'] ?? '';
  if (!type.includes('json')) {
    response.destroy();
    return /^(text\/event-stream|multipart\/mixed)/.test(type) ? null : `${status} as ${type}`;
  }
  const body = await text(response);
  if (status === 503 && headers['retry-after'] !== undefined) return null;
  if (status >= 500 || body.includes('INTERNAL_SERVER_ERROR')) return `${status} ${body}`;
  try {
    JSON.parse(body);
    return null;
  } catch {
    return `${status}, not JSON: ${body}`;
  }
}

/** The answer may come before the body is sent: what fails after it does not matter. */
function answerTo(url: string, { path, headers, body }: FuzzRequest): Promise<IncomingMessage> {
  const options = {
    method: 'POST',
    agent: false,
    headers: { ...headers, 'content-length': body.length },
  };
  return new Promise((resolve, reject) => {
    httpRequest(`${url}${path}`, options, (response) => {
      response.on('error', () => {});
      resolve(response);
    })
      .on('error', reject)
      .end(body);
  });
}

/** Some at once, until `next` returns null. @returns What was wrong, with the requests' bodies. */
export async function sendFuzzes(
  url: string,
  next: () => FuzzRequest | null,
  atOnce: number,
): Promise<string[]> {
  const wrong: string[] = [];
  async function sendAll(): Promise<void> {
    for (let request = next(); request !== null; request = next()) {
      const found = await sendFuzz(url, request).catch((error: unknown) => String(error));
      if (found !== null) {
        const body = Buffer.from(request.body).toString('latin1').slice(0, 2_000);
        wrong.push(`${found.slice(0, 500)} for ${JSON.stringify(request.headers)} ${body}`);
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, sendAll));
  return wrong;
}
