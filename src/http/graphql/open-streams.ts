import type { ServerResponse } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import { isAsyncIterable } from './async-iterable.ts';

/** Streaming responses: subscriptions over server-sent events and Apollo's protocol. */
export interface OpenStreams {
  readonly plugin: Plugin<object, { readonly res?: ServerResponse }>;
  /**
   * Cuts all of them like a lost connection, so that clients subscribe again. The protocols have no
   * message for this: an error is the subscription's last result, and completion is its end.
   */
  cut(): void;
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<ServerResponse>();
  return {
    plugin: {
      onResultProcess({ result, serverContext: { res } }) {
        if (!res || !isAsyncIterable(result)) return;
        open.add(res);
        res.once('close', () => open.delete(res));
      },
    },
    cut() {
      for (const res of open) res.destroy();
    },
  };
}
