import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import { type BodyPart, bytesOf } from './send-images.ts';

/** Proxies close a connection that is silent for a minute. */
const KEEP_ALIVE_MS = 15_000;

/**
 * The events of one response (https://html.spec.whatwg.org/multipage/server-sent-events.html). Its
 * head is sent with the first event, or the first comment: until then, the response may become an
 * error with a status of its own.
 */
export interface EventStream {
  /** Whether the head was sent. */
  readonly isOpen: boolean;
  /** @param parts The event's data: one line of JSON. */
  send(event: string, parts: readonly BodyPart[]): Promise<void>;
  /** Ends the response. */
  end(): void;
  /** Stops the comments. Idempotent. */
  close(): void;
}

export function openEventStream(
  res: ServerResponse,
  options: {
    blobs: Pick<BlobStore, 'pieces'>;
    /** Aborted when the client disconnects. */
    signal: AbortSignal;
    /** How often a silent stream gets a comment. @default 15_000 // 15 seconds */
    keepAliveMs?: number | undefined;
  },
): EventStream {
  const { blobs, signal, keepAliveMs = KEEP_ALIVE_MS } = options;
  let isSending = false;

  function open(): void {
    if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream' });
  }

  /** Waits until the client has read what was written. */
  async function write(chunk: Buffer): Promise<void> {
    if (res.destroyed) throw new Error('the connection was closed');
    if (res.write(chunk)) return;
    await once(res, 'drain', { signal });
  }

  const timer = setInterval(() => {
    if (isSending || res.destroyed || res.writableNeedDrain) return;
    open();
    res.write(': keep-alive\n\n');
  }, keepAliveMs);

  return {
    get isOpen() {
      return res.headersSent;
    },
    async send(event, parts) {
      isSending = true;
      try {
        open();
        const all = [`event: ${event}\ndata: `, ...parts, '\n\n'];
        for await (const chunk of bytesOf(all, blobs)) await write(chunk);
      } finally {
        isSending = false;
      }
    },
    end() {
      clearInterval(timer);
      open();
      res.end();
    },
    close: () => clearInterval(timer),
  };
}
