import type { ServerResponse } from 'node:http';

const CHECK_MS = 5_000;

/** Closes responses whose reader has stalled, so that they do not occupy memory forever. */
export interface StalledResponses {
  /** Closes the connection when nothing could be written for `maxStallMs`. */
  watch(res: ServerResponse): void;
  stop(): void;
}

/**
 * A stall means that the connection's buffers stay full: a slow reader makes progress, and a silent
 * stream has nothing to write.
 */
export function createStalledResponses(options: {
  /** @default 20_000 // 20 seconds, noticed within 5 more */
  maxStallMs?: number;
  onStalled: (res: ServerResponse) => void;
}): StalledResponses {
  const { maxStallMs = 20_000, onStalled } = options;
  const watched = new Map<ServerResponse, { bytesWritten: number; sinceMs: number }>();
  let timer: NodeJS.Timeout | undefined;

  function check(): void {
    const nowMs = performance.now();
    for (const [res, last] of watched) {
      const bytesWritten = res.socket === null ? 0 : sent(res);
      if (!res.writableNeedDrain || bytesWritten !== last.bytesWritten) {
        watched.set(res, { bytesWritten, sinceMs: nowMs });
      } else if (nowMs - last.sinceMs >= maxStallMs) {
        onStalled(res);
        res.destroy();
      }
    }
  }

  function forget(res: ServerResponse): void {
    watched.delete(res);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    watch(res) {
      if (watched.has(res) || res.destroyed) return;
      watched.set(res, { bytesWritten: 0, sinceMs: performance.now() });
      res.once('close', () => forget(res));
      timer ??= setInterval(check, Math.min(CHECK_MS, maxStallMs / 4));
    },
    stop() {
      clearInterval(timer);
      watched.clear();
    },
  };
}

/** Bytes that the kernel has accepted. */
function sent({ socket }: ServerResponse): number {
  return socket === null ? 0 : socket.bytesWritten - socket.writableLength;
}
