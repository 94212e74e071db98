import { ofAllOwners } from '../auth/visible.ts';
import type { PrismaClient } from '../database/database.ts';

/** A lease takes this part of the limit, at least one request. */
const PARTS = 10n;

/** What a process may use of a limit in the current minute without asking the database. */
export interface Lease {
  /** Requests that it may still count. */
  left: number;
  /** In the whole minute, over all processes: leased when this process last asked. */
  readonly leased: bigint;
  readonly amount: bigint;
  readonly resetsAt: Date;
  /** Until the minute ends, from now. Never negative. */
  untilResetMs(): number;
}

/**
 * Leases blocks of the requests that a limit still allows in the current minute, by the database's
 * clock, which all processes share. So all processes together never exceed the limit, and a request
 * costs no statement unless a block is used up.
 */
export interface RequestLeases {
  /**
   * Counts a request. Null: the limit was removed. The request is rejected if `left` was 0: returns
   * the lease that says so, and asks the database no more until the minute ends.
   */
  take(limitId: string): Promise<{ readonly lease: Lease; readonly isTaken: boolean } | null>;
  /** Gives a request back that was taken but not made. */
  giveBack(limitId: string): void;
  /** The lease of the current minute; null if there is none. */
  current(limitId: string): Lease | null;
  /** Asks the database again at the next request, such as after a change of the limit. */
  forget(limitId: string): void;
  clear(): void;
}

interface LeaseRow {
  readonly granted: bigint;
  readonly leased: bigint;
  readonly amount: bigint;
  readonly resetsAt: Date;
  readonly untilResetMs: number;
}

export function createRequestLeases({ prisma }: { prisma: PrismaClient }): RequestLeases {
  const leases = new Map<string, Lease>();
  const asking = new Map<string, Promise<Lease | null>>();

  async function ask(limitId: string): Promise<Lease | null> {
    // Before the statement: the lease must not outlast the minute.
    const askedMs = performance.now();
    const [row] = await leaseBlock(prisma, limitId);
    if (row === undefined) {
      leases.delete(limitId);
      return null;
    }
    const { granted, leased, amount, resetsAt, untilResetMs } = row;
    const endMs = askedMs + untilResetMs;
    const lease = {
      left: Number(granted),
      leased,
      amount,
      resetsAt,
      untilResetMs: () => Math.max(0, endMs - performance.now()),
    };
    leases.set(limitId, lease);
    return lease;
  }

  /** Requests at the same time share one statement. */
  function askOnce(limitId: string): Promise<Lease | null> {
    const running = asking.get(limitId) ?? ask(limitId).finally(() => asking.delete(limitId));
    asking.set(limitId, running);
    return running;
  }

  function current(limitId: string): Lease | null {
    const lease = leases.get(limitId);
    return lease !== undefined && lease.untilResetMs() > 0 ? lease : null;
  }

  return {
    async take(limitId) {
      for (;;) {
        const lease = current(limitId);
        if (lease !== null && lease.left > 0) {
          lease.left -= 1;
          return { lease, isTaken: true };
        }
        if (lease !== null && lease.leased >= lease.amount) return { lease, isTaken: false };
        if ((await askOnce(limitId)) === null) return null;
      }
    },
    giveBack(limitId) {
      const lease = current(limitId);
      if (lease !== null) lease.left += 1;
    },
    current,
    forget: (limitId) => void leases.delete(limitId),
    clear: () => leases.clear(),
  };
}

function leaseBlock(prisma: PrismaClient, limitId: string): Promise<LeaseRow[]> {
  return ofAllOwners(prisma).$queryRaw<LeaseRow[]>`
    UPDATE "Limit" SET
      "windowStart" = block.start, settled = block.settled + block.granted, "updatedAt" = now()
    FROM (
      SELECT id, start, settled,
        least(greatest(amount / ${PARTS}::bigint, 1), greatest(amount - settled, 0)) AS granted
      FROM (
        SELECT id, amount, greatest("windowStart", minute) AS start,
          CASE WHEN "windowStart" >= minute THEN settled ELSE 0 END AS settled
        FROM (
          SELECT id, amount, "windowStart", settled,
            date_trunc('minute', clock_timestamp()) AS minute
          FROM "Limit" WHERE id = ${limitId}::uuid FOR NO KEY UPDATE
        ) AS locked
      ) AS of_minute
    ) AS block
    WHERE "Limit".id = block.id
    RETURNING block.granted, "Limit".settled AS leased, "Limit".amount,
      "Limit"."windowStart" + interval '1 minute' AS "resetsAt",
      (1000 * extract(epoch FROM "Limit"."windowStart" + interval '1 minute' - clock_timestamp()))::float8
        AS "untilResetMs"`;
}
