import type { FormattedExecutionResult } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';

export type Results = AsyncIterableIterator<
  FormattedExecutionResult<ReturnType<typeof JSON.parse>>
>;

/** One way to subscribe: ends with its iterator, or when the service ends it. */
export interface Subscriber {
  readonly name: string;
  subscribe(
    url: string,
    query: string,
    variables?: Record<string, unknown>,
    /** @default '/graphql' */
    path?: string,
  ): Results;
}

export const SSE: Subscriber = {
  name: 'graphql-sse',
  subscribe(url, query, variables = {}, path = '/graphql') {
    const client = createSseClient({ url: `${url}${path}`, retryAttempts: 0 });
    return client.iterate({ query, variables }) as Results;
  },
};

export const WS: Subscriber = {
  name: 'graphql-ws',
  async *subscribe(url, query, variables = {}, path = '/graphql') {
    const client = createWsClient({
      url: `${url.replace('http', 'ws')}${path}`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    try {
      yield* client.iterate({ query, variables }) as Results;
    } catch (errors) {
      // An operation that is refused ends with a message of its own: the GraphQL errors.
      if (!Array.isArray(errors)) throw errors;
      yield { errors };
    } finally {
      await client.dispose();
    }
  },
};

/** By hand, strictly as the protocol says. */
export const APOLLO: Subscriber = {
  name: 'Apollo multipart',
  async *subscribe(url, query, variables = {}, path = '/graphql') {
    const aborting = new AbortController();
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0",application/json',
      },
      body: JSON.stringify({ query, variables }),
      signal: aborting.signal,
    });
    const type = response.headers.get('content-type') ?? '';
    if (type.includes('json')) {
      yield await response.json();
      return;
    }
    const boundary = /^multipart\/mixed;boundary="([^"]+)";subscriptionSpec="1\.0"$/.exec(
      type,
    )?.[1];
    if (boundary === undefined || response.body === null) throw new Error(`not multipart: ${type}`);
    try {
      // The first boundary may stand at the very beginning.
      let text = '\r\n';
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const parts = text.split(`\r\n--${boundary}`);
        text = parts.pop() ?? '';
        for (const part of parts) {
          const [head, body] = part.split('\r\n\r\n', 2);
          if (body === undefined) continue;
          if (!head?.includes('Content-Type: application/json')) throw new Error(`part: ${head}`);
          const message = JSON.parse(body);
          if ('payload' in message) yield message.payload;
        }
        if (text === '--\r\n') return;
      }
      throw new Error('the answer was cut');
    } finally {
      aborting.abort();
    }
  },
};

export const SUBSCRIBERS: readonly Subscriber[] = [SSE, WS, APOLLO];
