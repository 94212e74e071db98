import { hostname } from 'node:os';
import { v7 as uuid } from 'uuid';
import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';

/** Within each timeout, so that one that is late or lost does not matter. */
const HEARTBEATS_PER_TIMEOUT = 6;

/**
 * The processes on this database, each with a row that its heartbeat updates. A process that runs no
 * edits has a row, too: the files that it is receiving are left alone as long as it runs.
 */
export interface Processes {
  /** Of this process, from this start on: in `EditAttempt.processId` and on the files that it stages. */
  readonly id: string;
  /** Inserts this process's row and starts its heartbeat. */
  start(): Promise<void>;
  /**
   * The other processes that have certainly crashed: no heartbeat for `timeoutMs` by the database's
   * clock, or no row although they have an open attempt; and the same at the call before this one.
   * (After a pause of the database itself, no process has a recent heartbeat; and one whose row was
   * removed may still run and claim edits. Between two calls, a running one has sent a heartbeat.)
   * Calls must be at least two heartbeats apart. A process that is alone on its database can skip
   * the second check.
   */
  findCrashed(): Promise<readonly string[]>;
  /** Removes the rows of these processes, unless they still have an open attempt. */
  remove(crashed: readonly string[]): Promise<void>;
  /** All that have a row: running ones, and crashed ones that were not removed yet. */
  list(): Promise<ReadonlySet<string>>;
  /** Stops the heartbeat and removes this process's row. Idempotent. */
  stop(): Promise<void>;
}

export function createProcesses(options: {
  prisma: PrismaClient;
  /** No other process can be on this database: any other row is of a crashed one. */
  alone: boolean;
  timeoutMs: number;
  log: Log;
}): Processes {
  const { prisma, alone, timeoutMs, log } = options;
  const id = uuid();
  let timer: NodeJS.Timeout | undefined;
  /** The last heartbeat of those that the last call suspected; `none` if they had no row. */
  let suspects = new Map<string, string>();

  async function beat(): Promise<void> {
    // By the database's clock, as is every comparison: the machines' own may differ.
    await prisma.$executeRaw`
      INSERT INTO "Process" (id, host, pid) VALUES (${id}::uuid, ${hostname()}, ${process.pid})
      ON CONFLICT (id) DO UPDATE SET "heartbeatAt" = now()`;
  }

  return {
    id,
    async start() {
      if (alone) await prisma.process.deleteMany();
      await beat();
      timer = setInterval(() => {
        beat().catch((error) => log.warn({ err: error }, 'heartbeat failed'));
      }, timeoutMs / HEARTBEATS_PER_TIMEOUT);
    },
    async findCrashed() {
      const silent = await ofAllOwners(prisma).$queryRaw<{ id: string; heartbeatAt: string }[]>`
        SELECT id::text AS id, "heartbeatAt"::text AS "heartbeatAt" FROM "Process"
        WHERE id <> ${id}::uuid
          AND "heartbeatAt" < now() - make_interval(secs => ${timeoutMs / 1_000}::float8)
        UNION
        SELECT attempt."processId"::text, 'none' FROM "EditAttempt" AS attempt
        WHERE attempt.state = 'SENT' AND attempt."processId" <> ${id}::uuid
          AND NOT EXISTS (SELECT FROM "Process" AS other WHERE other.id = attempt."processId")`;
      const crashed = silent.filter((one) => alone || suspects.get(one.id) === one.heartbeatAt);
      suspects = new Map(silent.map((one) => [one.id, one.heartbeatAt]));
      return crashed.map((one) => one.id);
    },
    async remove(crashed) {
      if (crashed.length === 0) return;
      await ofAllOwners(prisma).$executeRaw`
        DELETE FROM "Process" AS process
        WHERE id::text = ANY(${[...crashed]}) AND NOT EXISTS (
          SELECT 1 FROM "EditAttempt" WHERE "processId" = process.id AND state = 'SENT'
        )`;
    },
    async list() {
      const processes = await prisma.process.findMany({ select: { id: true } });
      return new Set(processes.map((one) => one.id));
    },
    async stop() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      await prisma.process
        .deleteMany({ where: { id } })
        .catch((error) => log.warn({ err: error }, 'row of this process not removed'));
    },
  };
}
