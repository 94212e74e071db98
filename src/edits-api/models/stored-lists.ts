import { z } from 'zod';
import type { PrismaClient, Transaction } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { createModelList, type KnownLists, type ListedModel } from '../../models/model-list.ts';
import type { Events } from '../../queue/events.ts';

/** A list that could not be read again for so long says nothing about today. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1_000;

/** What an upstream said when it was asked for its models. */
export interface ReadList {
  readonly upstream: string;
  /** Null: it has no list. */
  readonly models: readonly ListedModel[] | null;
}

/** Stores lists instead of the earlier ones, and tells all processes. */
export async function storeModelLists(options: {
  prisma: PrismaClient;
  events: Pick<Events, 'publish'>;
  read: readonly ReadList[];
  /** @default now */
  readAt?: Date;
}): Promise<void> {
  const { prisma, events, read, readAt = new Date() } = options;
  await prisma.$transaction(async (tx) => {
    // In one order, because several processes may do this at once.
    for (const one of read.toSorted((a, b) => (a.upstream < b.upstream ? -1 : 1))) {
      await storeList(tx, one, readAt);
    }
    await events.publish(tx, { kind: 'models' });
  });
}

async function storeList(tx: Transaction, { upstream, models }: ReadList, readAt: Date) {
  const where = { name: upstream };
  if (models === null) return void (await tx.upstreamModels.deleteMany({ where }));
  const row = { models: models.map((model) => ({ ...model })), readAt };
  await tx.upstreamModels.upsert({ where, create: { ...where, ...row }, update: row });
}

/** The stored lists, as this process knows them. */
export interface StoredLists extends KnownLists {
  /** Calls the listener after each time that the lists were read again. It must not throw. */
  subscribe(listener: () => void): void;
  /** Idempotent. */
  close(): Promise<void>;
}

const listedModels = z.array(
  z.object({
    id: z.string(),
    created: z.number().nullable(),
    ownedBy: z.string().nullable(),
    shutdownDate: z.string().nullable(),
  }),
);

/** Reads the lists now, and again after each event. */
export async function openStoredLists(options: {
  prisma: PrismaClient;
  events: Pick<Events, 'subscribe'>;
  log: Log;
  now?: () => Date;
}): Promise<StoredLists> {
  const { prisma, events, log, now = () => new Date() } = options;
  const listeners: (() => void)[] = [];
  let rows: readonly (readonly [
    string,
    { list: ReturnType<typeof createModelList>; readAt: Date },
  ])[] = [];
  let reading = Promise.resolve();
  let isDue = false;

  async function read(): Promise<void> {
    isDue = false;
    const stored = await prisma.upstreamModels.findMany();
    rows = stored.flatMap(({ name, models, readAt }) => {
      // Another release may have written it.
      const parsed = listedModels.safeParse(models);
      return parsed.success
        ? [[name, { list: createModelList(parsed.data), readAt }] as const]
        : [];
    });
    for (const listener of listeners) listener();
  }

  /** Events that arrive while it waits are one. */
  function readSoon(): void {
    if (isDue) return;
    isDue = true;
    reading = reading
      .then(read)
      .catch((error) => log.warn({ err: error }, 'could not read the stored lists of models'));
  }

  // Before the first reading: an event in between must not be lost.
  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'models' || event.kind === 'missed') readSoon();
  });
  try {
    await read();
  } catch (error) {
    unsubscribe();
    throw error;
  }
  return {
    current() {
      const oldest = now().getTime() - MAX_AGE_MS;
      return new Map(
        rows.flatMap(([name, { list, readAt }]) =>
          readAt.getTime() < oldest ? [] : [[name, list] as const],
        ),
      );
    },
    subscribe: (listener) => void listeners.push(listener),
    async close() {
      unsubscribe();
      await reading;
    },
  };
}
