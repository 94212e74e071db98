import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendError } from './send-error.ts';

export interface BodyDeadlineOptions {
  /** Longest silence of a client. @default 20_000 // 20 seconds */
  idleMs?: number;
  /** Minimum rate over each `windowMs` of reading. @default 4_000 */
  minBytesPerSecond?: number;
  /** @default 60_000 // a minute */
  windowMs?: number;
}

/** Ends requests whose body does not arrive, so that they do not occupy upload slots. */
export interface BodyDeadlines {
  /**
   * Watches the request until its body is complete. Responds to a stalled one with 408 and closes
   * it.
   */
  watch(req: IncomingMessage, res: ServerResponse): void;
  stop(): void;
}

/** Findings of the last check of a request. Times are in milliseconds. */
interface Progress {
  readonly res: ServerResponse;
  atMs: number;
  bytesRead: number;
  wasWaiting: boolean;
  silentSinceMs: number;
  windowMs: number;
  windowBytes: number;
}

/**
 * Only time spent waiting for the client counts: not while a body is paused because a disk or a
 * parser is slower than the client, nor before reading starts.
 */
export function createBodyDeadlines(options: BodyDeadlineOptions = {}): BodyDeadlines {
  const { idleMs = 20_000, minBytesPerSecond = 4_000, windowMs = 60_000 } = options;
  const watched = new Map<IncomingMessage, Progress>();
  let timer: NodeJS.Timeout | undefined;

  function check(): void {
    if (watched.size === 0) {
      // Not with the last request: most bodies arrive at once, and each would set a timer.
      clearInterval(timer);
      timer = undefined;
    }
    const nowMs = performance.now();
    for (const [req, progress] of watched) {
      if (req.complete || req.destroyed || req.socket.destroyed) {
        watched.delete(req);
        continue;
      }
      update(progress, req, nowMs);
      if (nowMs - progress.silentSinceMs >= idleMs) {
        cutOff(req, progress.res, `No data arrived for ${idleMs / 1_000} s`);
      } else if (progress.windowMs >= windowMs) {
        const bytesPerSecond = (progress.windowBytes * 1_000) / progress.windowMs;
        if (bytesPerSecond < minBytesPerSecond) {
          const limit = minBytesPerSecond.toLocaleString('en-US');
          cutOff(req, progress.res, `Data arrived at less than ${limit} bytes per second`);
        }
        progress.windowMs = 0;
        progress.windowBytes = 0;
      }
    }
  }

  function cutOff(req: IncomingMessage, res: ServerResponse, reason: string): void {
    watched.delete(req);
    if (res.headersSent) return void req.socket.destroy();
    res.setHeader('connection', 'close');
    const message = `${reason}, so the request was closed before its body was complete. Send it again.`;
    sendError(res, 408, 'REQUEST_TIMEOUT', message);
  }

  return {
    watch(req, res) {
      if (!hasBody(req)) return;
      const atMs = performance.now();
      const { bytesRead } = req.socket;
      watched.set(req, {
        res,
        atMs,
        bytesRead,
        wasWaiting: false,
        silentSinceMs: atMs,
        windowMs: 0,
        windowBytes: 0,
      });
      res.once('close', () => {
        // After an early response, the rest of the body may still arrive.
        if (req.complete) watched.delete(req);
      });
      timer ??= setInterval(check, Math.min(1_000, idleMs / 4, windowMs / 4)).unref();
    },
    stop() {
      clearInterval(timer);
      watched.clear();
    },
  };
}

function update(progress: Progress, req: IncomingMessage, nowMs: number): void {
  const isWaiting = isWaitingForClient(req);
  const { bytesRead } = req.socket;
  const bytes = bytesRead - progress.bytesRead;
  if (isWaiting && progress.wasWaiting) {
    progress.windowMs += nowMs - progress.atMs;
    progress.windowBytes += bytes;
    if (bytes > 0) progress.silentSinceMs = nowMs;
  } else {
    progress.silentSinceMs = nowMs;
  }
  progress.atMs = nowMs;
  progress.bytesRead = bytesRead;
  progress.wasWaiting = isWaiting;
}

/** The reader has consumed all that arrived. */
function isWaitingForClient(req: IncomingMessage): boolean {
  const isRead = req.readableFlowing === true || req.listenerCount('readable') > 0;
  return isRead && req.readableLength === 0;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
