/** Buffers of one size, used again and again: large ones are costly to make and to collect. */
export interface BufferPool {
  /** Its content is anything. */
  take(): Buffer;
  /** Nobody may hold `buffer` any more. */
  giveBack(buffer: Buffer): void;
}

/** Keeps at most `maxSpare` buffers of `bytes` bytes that are not in use. */
export function createBufferPool({
  bytes,
  maxSpare,
}: {
  bytes: number;
  maxSpare: number;
}): BufferPool {
  const spare: Buffer[] = [];
  return {
    take: () => spare.pop() ?? Buffer.allocUnsafeSlow(bytes),
    giveBack(buffer) {
      if (spare.length < maxSpare) spare.push(buffer);
    },
  };
}
