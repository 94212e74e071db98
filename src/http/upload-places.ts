import type { IncomingMessage, ServerResponse } from 'node:http';
import { UnavailableError } from '../errors.ts';
import { type Metrics, NO_METRICS } from '../telemetry/metrics.ts';

/** Memory per upload does not depend on its size, so the smallest count as this much. */
const LEAST_BYTES = 8 * 1024 * 1024;

/** An upload of unknown length counts as this much, which is more than most. */
const UNDECLARED_BYTES = 64 * 1024 * 1024;

const RETRY_AFTER_SECONDS = 5;

/** Limits the uploads that are received at once, and with them memory and staged files. */
export interface UploadPlaces {
  /**
   * Reserves a slot for a request of the declared length; null if unknown. Returns a function that
   * releases it, which may be called twice. A single request always gets a slot, however large; the
   * same holds within its client's share.
   * @param client Whose share it counts for; null for a client without a limit.
   * @throws UnavailableError if the running uploads and this one exceed the limit.
   */
  take(declaredBytes: number | null, client: string | null): () => void;
}

/**
 * @param options.maxBytes Limit of all requests together; each counts as at least 8 MiB.
 * @param options.maxBytesPerClient Limit of one client. @default half of `maxBytes`
 */
export function createUploadPlaces(options: {
  maxBytes: number;
  maxBytesPerClient?: number;
  /** @default off */
  metrics?: Metrics;
}): UploadPlaces {
  const { maxBytes, maxBytesPerClient = maxBytes / 2, metrics = NO_METRICS } = options;
  const takenByClient = new Map<string, number>();
  let takenBytes = 0;

  function add(client: string | null, bytes: number): void {
    takenBytes += bytes;
    if (client === null) return;
    const ofClient = (takenByClient.get(client) ?? 0) + bytes;
    if (ofClient > 0) takenByClient.set(client, ofClient);
    else takenByClient.delete(client);
  }

  function tooMany(uploads: string): UnavailableError {
    metrics.increment('retouch_rejections_total', { limit: 'CONCURRENT_UPLOADS' });
    return new UnavailableError(
      `Too many ${uploads} are in progress. This upload was not read; send it again later.`,
      RETRY_AFTER_SECONDS,
    );
  }

  return {
    take(declaredBytes, client) {
      const bytes = Math.max(declaredBytes ?? UNDECLARED_BYTES, LEAST_BYTES);
      const ofClient = client === null ? 0 : (takenByClient.get(client) ?? 0);
      if (ofClient > 0 && ofClient + bytes > maxBytesPerClient) throw tooMany('of your uploads');
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

/** Reserves a slot for a request whose body is about to be read. */
export type TakePlace = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Reserves a slot for a request before its body is read. The slot is released when the body is
 * complete or no longer read; the response may take minutes longer. It never outlives the response:
 * after an early one, Node may not emit `close` for the request.
 *
 * @param clientOf Whose share it counts for: see UploadPlaces.
 * @returns a function that throws UnavailableError if there is no free slot.
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

/** Declared length of the body; null if it is chunked. */
export function declaredBytes({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  return length === undefined ? null : Number(length);
}
