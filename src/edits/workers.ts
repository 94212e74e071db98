import { hostname } from 'node:os';
import { v7 as uuid } from 'uuid';
import type { PrismaClient } from '../database/database.ts';
import type { Log } from '../log.ts';

const HEARTBEAT_MS = 5_000;

/** A process whose last sign is older than this is gone: six heartbeats. */
export const GONE_AFTER_SECONDS = 30;

/** This process among those that run edits on the same database. */
export interface WorkerPresence {
  /** Names this start of the process in `EditAttempt.workerId`. */
  readonly id: string;
  /** From now on others know that it is alive. */
  start(): Promise<void>;
  /** Signs off; idempotent. */
  stop(): Promise<void>;
}

export function createWorkerPresence(options: {
  prisma: PrismaClient;
  /** Nobody else can be on this database: whoever is on record is gone. */
  alone: boolean;
  log: Log;
}): WorkerPresence {
  const { prisma, alone, log } = options;
  const id = uuid();
  let timer: NodeJS.Timeout | undefined;

  async function beat(): Promise<void> {
    // By the database's clock, as is every comparison: the machines' own may differ.
    await prisma.$executeRaw`
      INSERT INTO "Worker" (id, host, pid) VALUES (${id}::uuid, ${hostname()}, ${process.pid})
      ON CONFLICT (id) DO UPDATE SET "heartbeatAt" = now()`;
  }

  return {
    id,
    async start() {
      if (alone) await prisma.worker.deleteMany();
      await beat();
      timer = setInterval(() => {
        beat().catch((error) => log.warn({ err: error }, 'heartbeat failed'));
      }, HEARTBEAT_MS);
    },
    async stop() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      await prisma.worker
        .deleteMany({ where: { id } })
        .catch((error) => log.warn({ err: error }, 'worker not signed off'));
    },
  };
}
