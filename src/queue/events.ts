import { z } from 'zod';
import type { Database, Listener, Transaction } from '../database/database.ts';
import type { Log } from '../log.ts';

const eventSchema = z.discriminatedUnion('kind', [
  /** An edit job has changed; listeners read it again. */
  z.object({
    kind: z.literal('edit'),
    jobId: z.string(),
    ownerId: z.string(),
    final: z.boolean(),
    /** Index of a partial image that has arrived; the job's status is unchanged. */
    partial: z.int().min(0).optional(),
    /** The job was deleted from the history. */
    deleted: z.literal(true).optional(),
  }),
  /** Credentials of a key or an owner may have ended; caches read them again. */
  z.object({
    kind: z.literal('access'),
    keyId: z.string().optional(),
    ownerId: z.string().optional(),
  }),
  /** Images of an owner were deleted or moved to another, without an edit; caches forget them. */
  z.object({ kind: z.literal('images'), ownerId: z.string() }),
  /** A limit was created, changed or removed; caches read it again. */
  z.object({ kind: z.literal('limit'), limitId: z.string() }),
  /** The upstreams were asked for their models; processes read the stored lists again. */
  z.object({ kind: z.literal('models') }),
  /** A queue job was enqueued. */
  z.object({ kind: z.literal('work'), queue: z.string() }),
]);

/** What has changed, as ids only, never images or prompts. */
export type ServiceEvent = z.infer<typeof eventSchema>;

/** `missed`: the connection was lost for a while, so state must be read again. */
export type EventListener = (event: ServiceEvent | { kind: 'missed' }) => void;

/** Publishes events to all processes on one database by Postgres NOTIFY. */
export interface Events {
  start(): Promise<void>;
  /** Delivered to all processes when, and only if, `tx` commits. */
  publish(tx: Pick<Transaction, '$executeRaw'>, ...events: ServiceEvent[]): Promise<void>;
  /** Returns the function that ends the subscription. Listeners must not throw. */
  subscribe(listener: EventListener): () => void;
  stop(): Promise<void>;
}

export function createEvents({ database, log }: { database: Database; log: Log }): Events {
  const { channel } = database.names;
  const listeners = new Set<EventListener>();
  let connection: Listener | undefined;

  const tell: EventListener = (event) => {
    for (const listener of listeners) listener(event);
  };

  return {
    async start() {
      connection = await database.listen(
        channel,
        (payload) => {
          const event = eventSchema.safeParse(parseJson(payload));
          if (event.success) tell(event.data);
          else log.warn('ignored an unknown notification');
        },
        () => tell({ kind: 'missed' }),
      );
    },
    async publish(tx, ...events) {
      const payloads = events.map((event) => JSON.stringify(event));
      await tx.$executeRaw`SELECT pg_notify(${channel}, payload) FROM unnest(${payloads}::text[]) AS payload`;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      await connection?.close();
      connection = undefined;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
