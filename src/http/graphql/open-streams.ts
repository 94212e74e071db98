import type { ServerResponse } from 'node:http';
import type { Plugin } from 'graphql-yoga';
import type { AccessWatch, OpenedAccess } from '../../auth/access-watch.ts';
import { ownerOf } from '../../auth/visible.ts';
import type { StreamPlaces } from '../stream-places.ts';
import { isAsyncIterable } from './async-iterable.ts';
import { refusalOf } from './refusal.ts';

interface StreamContext {
  readonly res?: ServerResponse;
  readonly access: OpenedAccess;
}

/** Streaming responses: subscriptions over server-sent events and Apollo's protocol. */
export interface OpenStreams {
  readonly plugin: Plugin<StreamContext, StreamContext>;
  /**
   * Cuts all of them like a lost connection, so that clients subscribe again. The protocols have no
   * message for this: an error is the subscription's last result, and completion is its end.
   */
  cut(): void;
}

/** A stream also ends with the access of its client. */
export function createOpenStreams(options: {
  accessWatch: AccessWatch;
  places: StreamPlaces;
}): OpenStreams {
  const { accessWatch, places } = options;
  const open = new Set<ServerResponse>();
  return {
    plugin: {
      onSubscribe({ args, setResultAndStopExecution }) {
        const { res, access } = args.contextValue;
        // Sockets take theirs when they are opened.
        if (!res) return;
        try {
          res.once('close', places.take(ownerOf(access.viewer)));
        } catch (error) {
          setResultAndStopExecution({ errors: [refusalOf(error)] });
        }
      },
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
