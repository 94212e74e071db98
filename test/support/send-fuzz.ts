import type { FuzzRequest } from './fuzz-requests.ts';

/**
 * Sends a request of the fuzz, and reads its answer but for a stream's, which it leaves.
 * @returns What is wrong with the answer; null: nothing. Wrong are all 5xx but a 503 that says when to
 * come again, an internal error, and what is not JSON.
 */
export async function sendFuzz(url: string, request: FuzzRequest): Promise<string | null> {
  const { path, headers, body } = request;
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  });
  const { status } = response;
  const type = response.headers.get('content-type') ?? '';
  if (status === 503 && response.headers.has('retry-after')) {
    await response.body?.cancel();
    return null;
  }
  if (status >= 500) return `${status} ${await response.text()}`;
  if (!type.includes('json')) {
    await response.body?.cancel();
    return /^(text\/event-stream|multipart\/mixed)/.test(type) ? null : `${status} as ${type}`;
  }
  const text = await response.text();
  if (text.includes('INTERNAL_SERVER_ERROR')) return `${status} ${text}`;
  try {
    JSON.parse(text);
    return null;
  } catch {
    return `${status}, not JSON: ${text}`;
  }
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
      const found = await sendFuzz(url, request).catch(
        ({ message, cause }: Error) => `${message}: ${cause}`,
      );
      if (found !== null) {
        const body = Buffer.from(request.body).toString('latin1').slice(0, 2_000);
        wrong.push(`${found.slice(0, 500)} for ${JSON.stringify(request.headers)} ${body}`);
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, sendAll));
  return wrong;
}
