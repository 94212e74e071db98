import { z } from 'zod';
import type { Database, Listener, Transaction } from '../database/database.ts';
import type { Log } from '../log.ts';

const eventSchema = z.discriminatedUnion('kind', [
  /** An edit job has changed; who cares reads it again. */
  z.object({
    kind: z.literal('edit'),
    jobId: z.string(),
    ownerId: z.string(),
    final: z.boolean(),
    /** Position of an image on the way that has come; the job's status is as before. */
    partial: z.int().min(0).optional(),
    /** It is in nobody's history any more. */
    deleted: z.literal(true).optional(),
  }),
  /** Work was enqueued. */
  z.object({ kind: z.literal('work'), queue: z.string() }),
]);

/** What has changed, by id only: images and prompts never travel this way. */
export type ServiceEvent = z.infer<typeof eventSchema>;

/** `missed`: the line was down for a while; state must be read again instead of waited for. */
export type EventListener = (event: ServiceEvent | { kind: 'missed' }) => void;

/** News between all processes on one database, by Postgres NOTIFY. */
export interface Events {
  start(): Promise<void>;
  /** Told to everybody when, and only if, `tx` commits. */
  publish(tx: Pick<Transaction, '$executeRaw'>, ...events: ServiceEvent[]): Promise<void>;
  /** Answers the function that ends the subscription. Listeners must not throw. */
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
