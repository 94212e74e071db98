import { TooManyStreamsError } from '../errors.ts';

/** Streams and sockets that one owner may have open at one process. */
const MAX_PER_OWNER = 1_000;

/** Limits what an owner keeps open, so that none takes all connections and memory. */
export interface StreamPlaces {
  /** Returns the function that releases the place. @throws TooManyStreamsError */
  take(ownerId: string): () => void;
}

/** @param options.maxPerOwner @default 1_000 */
export function createStreamPlaces({ maxPerOwner = MAX_PER_OWNER } = {}): StreamPlaces {
  const taken = new Map<string, number>();

  function add(ownerId: string, change: number): void {
    const count = (taken.get(ownerId) ?? 0) + change;
    if (count > 0) taken.set(ownerId, count);
    else taken.delete(ownerId);
  }

  return {
    take(ownerId) {
      if ((taken.get(ownerId) ?? 0) >= maxPerOwner) {
        throw new TooManyStreamsError(maxPerOwner);
      }
      add(ownerId, 1);
      let isTaken = true;
      return () => {
        if (isTaken) add(ownerId, -1);
        isTaken = false;
      };
    },
  };
}
