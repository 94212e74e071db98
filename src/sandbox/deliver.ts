import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chunks } from './answer.ts';
import type { Fault } from './faults.ts';

const DRIPS_PER_SECOND = 20;
const PADDING_CHUNK = Buffer.alloc(64 * 1024, 'x');

export function byteLength(chunks: Chunks): number {
  return chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
}

/**
 * Writes at the client's pace, or at `bytesPerSecond`.
 * @throws AbortError once `signal` is aborted, for example by a disconnected client.
 */
export async function write(
  res: ServerResponse,
  chunks: Chunks,
  options: { signal: AbortSignal; bytesPerSecond?: number },
): Promise<void> {
  const { signal, bytesPerSecond } = options;
  for (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const step = bytesPerSecond ? Math.ceil(bytesPerSecond / DRIPS_PER_SECOND) : bytes.length;
    for (let at = 0; at < bytes.length; at += step) {
      signal.throwIfAborted();
      const piece = bytes.subarray(at, at + step);
      const drained = res.write(piece);
      if (bytesPerSecond) {
        await sleep((piece.length / bytesPerSecond) * 1_000, undefined, { signal });
      } else if (!drained) await once(res, 'drain', { signal });
    }
  }
}

/** Sends the first half of the bytes, then closes the connection. */
export async function writeHalf(
  res: ServerResponse,
  chunks: Chunks,
  signal: AbortSignal,
): Promise<void> {
  const whole = Buffer.concat(
    chunks.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)),
  );
  const half = whole.subarray(0, Math.floor(whole.length / 2));
  signal.throwIfAborted();
  const { promise: flushed, resolve } = Promise.withResolvers<void>();
  res.write(half, () => resolve());
  await Promise.race([flushed, once(res, 'close')]);
  res.destroy();
}

/** The whole body as the fault distorts it, with a matching content-length. */
export function distortBody(chunks: Chunks, fault: Fault | null): Chunks {
  if (fault?.kind === 'huge') {
    const [head = '', ...rest] = chunks;
    return ['{"padding":"', ...padding(fault.bytes), '",', head.slice(1), ...rest];
  }
  if (fault?.kind !== 'newlines') return chunks;
  const text = chunks.map((one) => one.toString('latin1')).join('');
  return [`${escapeSlashes(JSON.stringify(JSON.parse(text), null, 2))}\n`];
}

/** The same for one event: padding is sent as a comment, which clients ignore. */
export function distortEvent(chunks: Chunks, fault: Fault | null): Chunks {
  if (fault?.kind === 'huge') return [': ', ...padding(fault.bytes), '\n\n', ...chunks];
  if (fault?.kind !== 'newlines') return chunks;
  const text = chunks.map((one) => one.toString('latin1')).join('');
  return [escapeSlashes(text).replaceAll('\n', '\r\n')];
}

function escapeSlashes(text: string): string {
  return text.replaceAll('/', '\\/');
}

function padding(bytes: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes / PADDING_CHUNK.length) }, (_, index) =>
    PADDING_CHUNK.subarray(0, Math.min(PADDING_CHUNK.length, bytes - index * PADDING_CHUNK.length)),
  );
}
