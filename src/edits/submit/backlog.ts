import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { UnavailableError } from '../../errors.ts';
import { type Metrics, NO_METRICS } from '../../telemetry/metrics.ts';

const RETRY_AFTER_SECONDS = 30;

/** The number of queued edits, in total and of each owner, over all processes. */
export interface Backlog {
  /**
   * Returns the turn of an owner's next edit. Lower turns run first; of equal turns, the older edit.
   * The turn is above those of the owner's queued edits, and not below the lowest of all owners. So
   * owners are served in turn: a new owner waits for one edit of each other owner.
   * (Start-time fair queueing: Goyal, Vin, Cheng, 1996.)
   * @throws UnavailableError if `maxQueued` edits are queued, or `maxQueuedPerOwner` of the owner.
   */
  admit(ownerId: string): Promise<{ turn: number }>;
}

export function createBacklog(options: {
  prisma: PrismaClient;
  maxQueued: number;
  /** @default maxQueued */
  maxQueuedPerOwner?: number;
  /** How old the counts may be. Edits enqueued here meanwhile are added. @default 500 */
  maxAgeMs?: number;
  /** @default off */
  metrics?: Metrics;
}): Backlog {
  const { prisma, maxQueued, maxQueuedPerOwner = maxQueued, maxAgeMs = 500 } = options;
  const { metrics = NO_METRICS } = options;
  let waiting = new Map<string, number>();
  let lastTurns = new Map<string, number>();
  let currentTurn = 0;
  let total = 0;
  let countedMs = Number.NEGATIVE_INFINITY;
  let counting: Promise<void> | undefined;

  async function count(): Promise<void> {
    // What was sent before and waits to be sent again has its turn of then: it says nothing of now.
    const owners = await ofAllOwners(prisma).$queryRaw<
      { ownerId: string; waiting: number; last: number; first: number | null }[]
    >`
      SELECT "ownerId", count(*)::int AS waiting, max(turn) AS last,
        min(turn) FILTER (WHERE "startedAt" IS NULL) AS first
      FROM "EditJob" WHERE status = 'QUEUED' GROUP BY "ownerId"`;
    waiting = new Map(owners.map((one) => [one.ownerId, one.waiting]));
    lastTurns = new Map(owners.map(({ ownerId, last }) => [ownerId, last]));
    const firsts = owners.flatMap(({ first }) => (first === null ? [] : [first]));
    currentTurn =
      firsts.length > 0 ? Math.min(...firsts) : Math.max(0, ...owners.map(({ last }) => last));
    total = owners.reduce((sum, one) => sum + one.waiting, 0);
    countedMs = performance.now();
  }

  function recount(): Promise<void> {
    counting ??= count().finally(() => {
      counting = undefined;
    });
    return counting;
  }

  const waitingOf = (ownerId: string) => waiting.get(ownerId) ?? 0;
  const isFull = (ownerId: string) => total >= maxQueued || waitingOf(ownerId) >= maxQueuedPerOwner;

  function full(ownerId: string): UnavailableError {
    metrics.increment('retouch_rejections_total', { limit: 'QUEUED_EDITS' });
    const [whose, count, most] =
      total >= maxQueued
        ? ['The queue is', total, maxQueued]
        : ['Your part of the queue is', waitingOf(ownerId), maxQueuedPerOwner];
    return new UnavailableError(
      `${whose} full: ${count} of at most ${most} edits are waiting. Try again later.`,
      RETRY_AFTER_SECONDS,
    );
  }

  return {
    async admit(ownerId) {
      if (performance.now() - countedMs > maxAgeMs) await recount();
      // Nobody is refused on an old count: some may have left the queue since.
      if (isFull(ownerId)) await recount();
      if (isFull(ownerId)) throw full(ownerId);
      const last = lastTurns.get(ownerId);
      const turn = last === undefined ? currentTurn : Math.max(currentTurn, last + 1);
      lastTurns.set(ownerId, turn);
      total += 1;
      waiting.set(ownerId, waitingOf(ownerId) + 1);
      return { turn };
    },
  };
}
