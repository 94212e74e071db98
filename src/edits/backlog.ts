import type { PrismaClient } from '../database/database.ts';
import { UnavailableError } from '../errors.ts';

/** How old the counts may be, in milliseconds. Edits enqueued here meanwhile are added. */
const MAX_AGE_MS = 500;
const RETRY_AFTER_SECONDS = 30;

/** How many edits wait, in all and of each owner, over all processes. */
export interface Backlog {
  /**
   * The place in line of an owner's next edit, as a priority for the queue: the k-th waiting edit
   * of each owner stands before the (k+1)-th of any, so that owners are served in turn.
   * @throws UnavailableError when `maxQueued` edits wait already.
   */
  admit(ownerId: string): Promise<{ priority: number }>;
}

export function createBacklog(options: { prisma: PrismaClient; maxQueued: number }): Backlog {
  const { prisma, maxQueued } = options;
  let counts = new Map<string, number>();
  let total = 0;
  let countedMs = Number.NEGATIVE_INFINITY;
  let counting: Promise<void> | undefined;

  async function count(): Promise<void> {
    const rows = await prisma.editJob.groupBy({
      by: ['ownerId'],
      where: { status: 'QUEUED' },
      _count: true,
    });
    counts = new Map(rows.map((row) => [row.ownerId, row._count]));
    total = rows.reduce((sum, row) => sum + row._count, 0);
    countedMs = performance.now();
  }

  function recount(): Promise<void> {
    counting ??= count().finally(() => {
      counting = undefined;
    });
    return counting;
  }

  return {
    async admit(ownerId) {
      if (performance.now() - countedMs > MAX_AGE_MS) await recount();
      // Nobody is refused on an old count: some may have left the queue since.
      if (total >= maxQueued) await recount();
      if (total >= maxQueued) {
        throw new UnavailableError(
          `${total} edits are waiting already; at most ${maxQueued} may. Try again later.`,
          RETRY_AFTER_SECONDS,
        );
      }
      const waiting = counts.get(ownerId) ?? 0;
      counts.set(ownerId, waiting + 1);
      total += 1;
      return { priority: -waiting };
    },
  };
}
