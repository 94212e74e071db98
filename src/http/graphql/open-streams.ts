import type { ServerResponse } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import { isAsyncIterable } from './async-iterable.ts';

/** Responses that are streams: subscriptions by server-sent events and by Apollo's protocol. */
export interface OpenStreams {
  readonly plugin: Plugin<object, { readonly res?: ServerResponse }>;
  /**
   * Ends all of them as a lost connection does, so that clients subscribe again. Nothing that the
   * protocols can say would: an error is the subscription's last result, and completion its end.
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
