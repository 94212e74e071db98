import type { IncomingMessage } from 'node:http';
import { UnavailableError } from '../errors.ts';

/** What is in memory of an upload does not depend on its size: so many of the least are as much. */
const LEAST_BYTES = 8 * 1024 * 1024;

/** An upload of unknown length counts as this: more than most are. */
const UNDECLARED_BYTES = 64 * 1024 * 1024;

const RETRY_AFTER_SECONDS = 5;

/** Bounds what is being received at once, and with it memory and what fills the disk. */
export interface UploadPlaces {
  /**
   * Takes a place for a request of that declared length; null: it declares none. Answers the
   * function that gives the place back, which may be called twice. A request has its place if it is
   * the only one, however large.
   * @throws UnavailableError when it would be too much together with those under way.
   */
  take(declaredBytes: number | null): () => void;
}

/** @param maxBytes of all requests together; each counts as at least 8 MiB. */
export function createUploadPlaces({ maxBytes }: { maxBytes: number }): UploadPlaces {
  let takenBytes = 0;
  return {
    take(declaredBytes) {
      const bytes = Math.max(declaredBytes ?? UNDECLARED_BYTES, LEAST_BYTES);
      if (takenBytes > 0 && takenBytes + bytes > maxBytes) {
        throw new UnavailableError(
          'Too many uploads are under way. Nothing of this one was read: send it again later.',
          RETRY_AFTER_SECONDS,
        );
      }
      takenBytes += bytes;
      let isTaken = true;
      return () => {
        if (isTaken) takenBytes -= bytes;
        isTaken = false;
      };
    },
  };
}

/**
 * Takes a place for a request whose body is about to be read, before any of it is. The place is given
 * back when the body was read to its end, or nobody will; the answer may take minutes longer.
 *
 * @throws UnavailableError.
 */
export function takePlaceFor(req: IncomingMessage, places: UploadPlaces): void {
  const giveBack = places.take(declaredBytes(req));
  if (req.destroyed) giveBack();
  else req.once('close', giveBack);
}

/** Of the body; null: it comes chunked. */
export function declaredBytes({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  return length === undefined ? null : Number(length);
}
