import { hostname } from 'node:os';
import { v7 as uuid } from 'uuid';
import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';

/** Signs of life within a worker's timeout: one that is late or lost does not matter. */
const HEARTBEATS_PER_TIMEOUT = 6;

/**
 * This process among those on the same database. Also one that runs no edits is on the list: what it
 * is receiving is left alone as long as it lives.
 */
export interface WorkerPresence {
  /** Names this start of the process, in `EditAttempt.workerId` and on the files that it stages. */
  readonly id: string;
  /** From now on others know that it is alive. */
  start(): Promise<void>;
  /**
   * The others that are surely gone: silent for `timeoutMs` by the database's clock, or not on the
   * list although they have an attempt out, and that at the call before this one too. (After a pause
   * of the database itself everybody looks silent, and one that was struck off may live and take
   * work; between two calls the living have given a sign again.) Calls must lie two heartbeats apart
   * or more. Who is alone needs no second look.
   */
  findGone(): Promise<readonly string[]>;
  /** Strikes those off the list that have no open attempt any more. */
  strikeOff(gone: readonly string[]): Promise<void>;
  /** All on the list: the living, and those not yet struck off. */
  list(): Promise<ReadonlySet<string>>;
  /** Signs off; idempotent. */
  stop(): Promise<void>;
}

export function createWorkerPresence(options: {
  prisma: PrismaClient;
  /** Nobody else can be on this database: whoever is on record is gone. */
  alone: boolean;
  timeoutMs: number;
  log: Log;
}): WorkerPresence {
  const { prisma, alone, timeoutMs, log } = options;
  const id = uuid();
  let timer: NodeJS.Timeout | undefined;
  /** The last heartbeat of those that were silent at the last look; `none`: not on the list. */
  let suspects = new Map<string, string>();

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
      }, timeoutMs / HEARTBEATS_PER_TIMEOUT);
    },
    async findGone() {
      const silent = await ofAllOwners(prisma).$queryRaw<{ id: string; heartbeatAt: string }[]>`
        SELECT id::text AS id, "heartbeatAt"::text AS "heartbeatAt" FROM "Worker"
        WHERE id <> ${id}::uuid
          AND "heartbeatAt" < now() - make_interval(secs => ${timeoutMs / 1_000}::float8)
        UNION
        SELECT attempt."workerId"::text, 'none' FROM "EditAttempt" AS attempt
        WHERE attempt.state = 'SENT' AND attempt."workerId" <> ${id}::uuid
          AND NOT EXISTS (SELECT FROM "Worker" AS worker WHERE worker.id = attempt."workerId")`;
      const gone = silent.filter(
        (worker) => alone || suspects.get(worker.id) === worker.heartbeatAt,
      );
      suspects = new Map(silent.map((worker) => [worker.id, worker.heartbeatAt]));
      return gone.map((worker) => worker.id);
    },
    async strikeOff(gone) {
      if (gone.length === 0) return;
      await ofAllOwners(prisma).$executeRaw`
        DELETE FROM "Worker" AS worker WHERE id::text = ANY(${[...gone]}) AND NOT EXISTS (
          SELECT 1 FROM "EditAttempt" WHERE "workerId" = worker.id AND state = 'SENT'
        )`;
    },
    async list() {
      const workers = await prisma.worker.findMany({ select: { id: true } });
      return new Set(workers.map((worker) => worker.id));
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
