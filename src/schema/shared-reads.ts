/** Reads that hundreds of subscribers ask for at once, when the same news wakes them all. */
export interface SharedReads {
  /**
   * Answers with `read()`, or with the promise of who read under the same key in the same turn of
   * the event loop. What comes is shared: nobody may change it.
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
      // Not before: a promise of Prisma's begins when it is waited for, once for each who waits.
      const reading = read().then((result) => result);
      reads.set(key, reading);
      return reading;
    },
  };
}
