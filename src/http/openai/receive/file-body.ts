/** The bytes of one file inside a request body. What follows it can be read once it has ended. */
export interface FileBody {
  /** The bytes, valid until the next step. Ends early after `skip`. May be called once. */
  stream(): AsyncGenerator<Buffer, void>;
  /** Reads what is left of the file, and drops it. */
  skip(): Promise<void>;
}

/** @param read The next bytes of the file; null at its end. Not called again after that. */
export function createFileBody(read: () => Promise<Buffer | null>): FileBody {
  let isSkipped = false;
  let isAtEnd = false;
  let reading: Promise<Buffer | null> = Promise.resolve(null);

  function readOn(): Promise<Buffer | null> {
    reading = read().then((bytes) => {
      isAtEnd = bytes === null;
      return bytes;
    });
    return reading;
  }

  return {
    async *stream() {
      while (!isSkipped && !isAtEnd) {
        const bytes = await readOn();
        if (bytes !== null) yield bytes;
      }
    },
    async skip() {
      isSkipped = true;
      // The stream may be waiting for bytes, on behalf of a reader that gave up.
      await reading;
      while (!isAtEnd) await readOn();
    },
  };
}
