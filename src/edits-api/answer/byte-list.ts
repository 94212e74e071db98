/** A growing buffer of at most `maxBytes`. */
export interface ByteList {
  readonly length: number;
  /** Copies. @throws the error of `tooLong` */
  append(chunk: Buffer, start: number, end: number): void;
  /** Drops everything after the first `length` bytes. */
  truncate(length: number): void;
  /** A view, valid until the next append. */
  slice(start: number): Buffer;
}

export function createByteList(maxBytes: number, tooLong: () => Error): ByteList {
  let buffer = Buffer.allocUnsafe(Math.min(maxBytes, 1024));
  let length = 0;
  return {
    get length() {
      return length;
    },
    append(chunk, start, end) {
      const needed = length + end - start;
      if (needed > maxBytes) throw tooLong();
      if (needed > buffer.length) {
        const grown = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(needed, buffer.length * 2)));
        buffer.copy(grown, 0, 0, length);
        buffer = grown;
      }
      length += chunk.copy(buffer, length, start, end);
    },
    truncate(shorter) {
      length = Math.min(length, shorter);
    },
    slice: (start) => buffer.subarray(start, length),
  };
}
