/** Reads that hundreds of subscribers make at once when they receive the same event. */
export interface SharedReads {
  /**
   * Returns the result of `read()`, or of an earlier call with the same key in the same turn of the
   * event loop. The result is shared and must not be modified.
   */
  once<T>(key: string, read: () => Promise<T>): Promise<T>;
}

export function createSharedReads(): SharedReads {
  const reads = new Map<string, Promise<unknown>>();
  return {
    once<T>(key: string, read: () => Promise<T>): Promise<T> {
      const found = reads.get(key) as Promise<T> | undefined;
      if (found !== undefined) return found;
      if (reads.size === 0) setImmediate(() => reads.clear());
      // `then` starts the query once: a Prisma promise runs again for each `await`.
      const reading = read().then((result) => result);
      reads.set(key, reading);
      return reading;
    },
  };
}
