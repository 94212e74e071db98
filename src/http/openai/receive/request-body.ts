import type { IncomingMessage } from 'node:http';
import { UnreadableBodyError } from '../../../errors.ts';

/** The body of a request, read chunk by chunk at the pace of its reader. */
export interface RequestBody {
  /**
   * The next chunk; null at the end. One call at a time.
   * @throws UnreadableBodyError if the body ends early or exceeds its limit; the signal's reason.
   */
  next(): Promise<Buffer | null>;
  /** Reads and drops the rest, so that the client sees the response. Idempotent. */
  drop(): void;
}

/** @param options.maxBytes Limit of the whole body, whether or not a length was declared. */
export function createRequestBody(
  req: IncomingMessage,
  options: { maxBytes: number; signal: AbortSignal },
): RequestBody {
  const { maxBytes, signal } = options;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let ended: { readonly error: unknown } | null = null;
  let wake: (() => void) | undefined;

  const end = (error: unknown) => {
    ended ??= { error };
    wake?.();
  };
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) return end(bodyTooLarge(maxBytes));
    req.pause();
    chunks.push(chunk);
    wake?.();
  };
  const onEnd = () => end(null);
  const onBroken = () => end(endedEarly());
  const onAbort = () => {
    chunks.length = 0;
    end(signal.reason);
  };

  if (signal.aborted) onAbort();
  else if (req.destroyed) onBroken();
  signal.addEventListener('abort', onAbort, { once: true });
  req.on('data', onData).on('end', onEnd).on('close', onBroken).on('error', onBroken);
  req.pause();

  return {
    async next() {
      if (chunks.length === 0 && ended === null) {
        const woken = Promise.withResolvers<void>();
        wake = woken.resolve;
        req.resume();
        await woken.promise;
        wake = undefined;
      }
      const chunk = chunks.shift();
      if (chunk !== undefined) return chunk;
      if (ended?.error) throw ended.error;
      return null;
    },
    drop() {
      signal.removeEventListener('abort', onAbort);
      chunks.length = 0;
      ended ??= { error: endedEarly() };
      req.off('data', onData).off('end', onEnd).off('close', onBroken).off('error', onBroken);
      // An error while the rest is dropped does not matter.
      req.on('error', () => undefined).resume();
    },
  };
}

export function endedEarly(): UnreadableBodyError {
  return new UnreadableBodyError('The request body ended early.');
}

export function bodyTooLarge(maxBytes: number): UnreadableBodyError {
  const limit = maxBytes.toLocaleString('en-US');
  return new UnreadableBodyError(
    `The request body may have at most ${limit} bytes.`,
    'PAYLOAD_TOO_LARGE',
  );
}
