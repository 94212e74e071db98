import type { ExecutionResult } from 'graphql';
import type { FetchAPI, Plugin } from 'graphql-yoga';
import { isAsyncIterable } from './async-iterable.ts';
import { toPublicResult } from './public-result.ts';

/** Sent while idle, so that proxies keep the connection, in milliseconds. */
const HEARTBEAT_MS = 10_000;

const BOUNDARY = 'graphql';
const PART_HEAD = '\r\nContent-Type: application/json\r\n\r\n';
/**
 * Sent right after a part, because a client considers a part complete when it sees the next
 * boundary.
 */
const PART_END = `\r\n--${BOUNDARY}`;

/**
 * Apollo's multipart protocol for subscriptions, for requests that accept
 * `multipart/mixed;subscriptionSpec=1.0`. Yoga's own `multipart/mixed` is for `@defer`, which
 * differs. A single result (an error before the stream) is sent as JSON if that is accepted, too.
 * @see
 *   https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
 */
export function useApolloMultipart({ heartbeatMs = HEARTBEAT_MS } = {}): Plugin {
  return {
    onResultProcess({ request, result, setResultProcessor }) {
      const accepted = (request.headers.get('accept') ?? '').toLowerCase().split(',');
      if (!accepted.some(isSubscriptionSpec) || Array.isArray(result)) return;
      if (!isAsyncIterable(result) && accepted.some(isJson)) return;
      const results = isAsyncIterable(result) ? result[Symbol.asyncIterator]() : one(result);
      setResultProcessor(
        (_, fetchApi) => toResponse(results, fetchApi, heartbeatMs),
        'multipart/mixed',
      );
    },
  };
}

function isSubscriptionSpec(type: string): boolean {
  return /^\s*multipart\/mixed\s*;(.*;)?\s*subscriptionspec="?1\.0"?\s*(;|$)/.test(type);
}

function isJson(type: string): boolean {
  return /^\s*application\/[^;]*json/.test(type);
}

function toResponse(
  results: AsyncIterator<ExecutionResult>,
  fetchApi: FetchAPI,
  heartbeatMs: number,
): Response {
  const encoder = new fetchApi.TextEncoder();
  const part = (message: object) => encoder.encode(PART_HEAD + JSON.stringify(message) + PART_END);
  let heartbeat: NodeJS.Timeout | undefined;
  const stream = new fetchApi.ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(PART_END));
      // Sent at once, so that the client knows that it is subscribed.
      controller.enqueue(part({}));
      heartbeat = setInterval(() => controller.enqueue(part({})), heartbeatMs);
    },
    async pull(controller) {
      const { done, value } = await results.next();
      if (!done) return controller.enqueue(part({ payload: toPublicResult(value) }));
      clearInterval(heartbeat);
      controller.enqueue(encoder.encode('--\r\n'));
      controller.close();
    },
    async cancel() {
      clearInterval(heartbeat);
      await results.return?.();
    },
  });
  return new fetchApi.Response(stream, {
    status: 200,
    headers: {
      'content-type': `multipart/mixed;boundary="${BOUNDARY}";subscriptionSpec="1.0"`,
      'cache-control': 'no-cache',
      connection: 'keep-alive',
    },
  });
}

async function* one(result: ExecutionResult): AsyncGenerator<ExecutionResult, undefined> {
  yield result;
}
