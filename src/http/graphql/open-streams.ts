import type { ServerResponse } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import type { AccessWatch, OpenedAccess } from '../../auth/access-watch.ts';
import { isAsyncIterable } from './async-iterable.ts';

/** Streaming responses: subscriptions over server-sent events and Apollo's protocol. */
export interface OpenStreams {
  readonly plugin: Plugin<object, { readonly res?: ServerResponse; readonly access: OpenedAccess }>;
  /**
   * Cuts all of them like a lost connection, so that clients subscribe again. The protocols have no
   * message for this: an error is the subscription's last result, and completion is its end.
   */
  cut(): void;
}

/** A stream also ends with the access of its client. */
export function createOpenStreams({ accessWatch }: { accessWatch: AccessWatch }): OpenStreams {
  const open = new Set<ServerResponse>();
  return {
    plugin: {
      onResultProcess({ result, serverContext: { res, access } }) {
        if (!res || !isAsyncIterable(result)) return;
        open.add(res);
        const unwatch = accessWatch.watch(access, () => res.destroy());
        res.once('close', () => {
          open.delete(res);
          unwatch();
        });
      },
    },
    cut() {
      for (const res of open) res.destroy();
    },
  };
}
