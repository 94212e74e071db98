import type { IncomingMessage, ServerResponse } from 'node:http';
import { UnavailableError } from '../errors.ts';

/** What is in memory of an upload does not depend on its size: so many of the least are as much. */
const LEAST_BYTES = 8 * 1024 * 1024;

/** An upload of unknown length counts as this: more than most are. */
const UNDECLARED_BYTES = 64 * 1024 * 1024;

const RETRY_AFTER_SECONDS = 5;

/** Bounds what is being received at once, and with it memory and what fills the disk. */
export interface UploadPlaces {
  /**
   * Takes a place for a request of that declared length; null: it declares none. Returns the
   * function that gives the place back, which may be called twice. A request has its place if it is
   * the only one, however large; so it is within its client's share.
   * @param client Whose share of all places it takes; null: of a client without such a limit.
   * @throws UnavailableError when it would be too much together with those under way.
   */
  take(declaredBytes: number | null, client: string | null): () => void;
}

/**
 * @param options.maxBytes Of all requests together; each counts as at least 8 MiB.
 * @param options.maxBytesPerClient Of one client's. @default half of `maxBytes`
 */
export function createUploadPlaces(options: {
  maxBytes: number;
  maxBytesPerClient?: number;
}): UploadPlaces {
  const { maxBytes, maxBytesPerClient = maxBytes / 2 } = options;
  const takenByClient = new Map<string, number>();
  let takenBytes = 0;

  function add(client: string | null, bytes: number): void {
    takenBytes += bytes;
    if (client === null) return;
    const ofClient = (takenByClient.get(client) ?? 0) + bytes;
    if (ofClient > 0) takenByClient.set(client, ofClient);
    else takenByClient.delete(client);
  }

  return {
    take(declaredBytes, client) {
      const bytes = Math.max(declaredBytes ?? UNDECLARED_BYTES, LEAST_BYTES);
      const ofClient = client === null ? 0 : (takenByClient.get(client) ?? 0);
      if (ofClient > 0 && ofClient + bytes > maxBytesPerClient)
        throw tooMany('uploads from your address');
      if (takenBytes > 0 && takenBytes + bytes > maxBytes) throw tooMany('uploads');
      add(client, bytes);
      let isTaken = true;
      return () => {
        if (isTaken) add(client, -bytes);
        isTaken = false;
      };
    },
  };
}

function tooMany(uploads: string): UnavailableError {
  return new UnavailableError(
    `Too many ${uploads} are in progress. This upload was not read; send it again later.`,
    RETRY_AFTER_SECONDS,
  );
}

/** Takes a place for a request whose body is about to be read. */
export type TakePlace = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Takes a place for a request before any of its body is read. The place is given back when the body
 * was read to its end, or nobody will read it; the response may take minutes longer. Nor does it
 * outlive the response: after an early one, Node may never emit `close` for the request.
 *
 * @param clientOf Whose share it counts for: see UploadPlaces.
 * @returns a function that throws UnavailableError when there is no place.
 */
export function createTakePlace(
  places: UploadPlaces,
  clientOf: (req: IncomingMessage) => string | null,
): TakePlace {
  return (req, res) => {
    const giveBack = places.take(declaredBytes(req), clientOf(req));
    const { socket } = req;
    const release = () => {
      for (const event of ['end', 'close']) req.off(event, release);
      res.off('close', release);
      socket.off('close', release);
      giveBack();
    };
    if (req.destroyed || res.destroyed || socket.destroyed) return release();
    req.once('end', release).once('close', release);
    res.once('close', release);
    socket.once('close', release);
  };
}

/** Of the body; null: it comes chunked. */
export function declaredBytes({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  return length === undefined ? null : Number(length);
}
