/** Reuses buffers of one size, because large ones are costly to allocate and collect. */
export interface BufferPool {
  /** The content is undefined. */
  take(): Buffer;
  /** Nobody may use `buffer` afterwards. */
  giveBack(buffer: Buffer): void;
}

/** Keeps at most `maxSpare` unused buffers of `bytes` bytes. */
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
