import type { Prisma, PrismaClient } from '../database/database.ts';

/** How much there is to do of one kind. */
export interface QueueStats {
  readonly name: string;
  /** Could be taken now. */
  readonly ready: number;
  /** Wait for their time. */
  readonly deferred: number;
  readonly active: number;
  /** How long the oldest ready one has been ready; 0 without one. */
  readonly oldestReadySeconds: number;
}

/** Of each kind by name, in one statement, which reads only what has not ended. */
export function readQueueStats(
  prisma: PrismaClient,
  /** The queue's table. */
  jobs: Prisma.Sql,
  names: readonly string[],
): Promise<QueueStats[]> {
  return prisma.$queryRaw<QueueStats[]>`
    SELECT kind.name,
      count(*) FILTER (WHERE state IN ('created', 'retry') AND start_after <= now())::int AS ready,
      count(*) FILTER (WHERE state IN ('created', 'retry') AND start_after > now())::int AS deferred,
      count(*) FILTER (WHERE state = 'active')::int AS active,
      coalesce(extract(epoch FROM now() - min(start_after) FILTER (
        WHERE state IN ('created', 'retry') AND start_after <= now())), 0)::float8
        AS "oldestReadySeconds"
    FROM unnest(${[...names]}::text[]) AS kind (name)
    LEFT JOIN ${jobs} AS job ON job.name = kind.name AND job.state <= 'active'
    GROUP BY kind.name`;
}
