import { ofAllOwners, ownedBy, ownedRows } from '../auth/visible.ts';
import type { PrismaClient, Transaction } from '../database/database.ts';
import { type BudgetPeriod, periodStart } from './budget-period.ts';
import { type BudgetState, budgetState } from './budget-state.ts';

export interface BudgetLimit {
  /** Null to remove the budget. */
  readonly limitMicroUsd: bigint | null;
  /** Null for no change; MONTH for a new budget. */
  readonly period: BudgetPeriod | null;
}

/**
 * Sets an owner's spending limit and returns the budget; null if it was removed. Sums the period's
 * costs and reservations again, so that they count from the start.
 */
export type SetBudget = (ownerId: string, limit: BudgetLimit) => Promise<BudgetState | null>;

export function createSetBudget(options: {
  prisma: PrismaClient;
  /** @default the system's clock */
  now?: () => Date;
}): SetBudget {
  const { prisma, now = () => new Date() } = options;

  return (ownerId, { limitMicroUsd, period: wanted }) =>
    prisma.$transaction(async (tx) => {
      // Every transaction that counts updates this table, even without effect. So after this, all
      // of them have committed or wait, and the sums are exact.
      await ofAllOwners(tx).$executeRaw`LOCK TABLE "Budget" IN SHARE ROW EXCLUSIVE MODE`;
      if (limitMicroUsd === null) {
        await tx.budget.deleteMany({ where: ownedBy(ownerId) });
        return null;
      }
      const at = now();
      const old = await tx.budget.findUnique({ where: ownedBy(ownerId) });
      const period = wanted ?? old?.period ?? 'MONTH';
      const start = periodStart(period, at);
      const data = {
        limitMicroUsd,
        period,
        periodStart: start,
        ...(await used(tx, ownerId, start)),
      };
      const row = await tx.budget.upsert({
        where: ownedBy(ownerId),
        create: { ownerId, ...data },
        update: { ...data, updatedAt: at },
      });
      return budgetState(row, at);
    });
}

async function used(tx: Transaction, ownerId: string, start: Date) {
  const [sums] = await tx.$queryRaw<{ spentMicroUsd: bigint; reservedMicroUsd: bigint }[]>`
    SELECT
      coalesce(sum(job."costMicroUsd"), 0)::bigint AS "spentMicroUsd",
      coalesce(sum(reservation."amountMicroUsd") FILTER (WHERE reservation."settledAt" IS NULL), 0)::bigint
        AS "reservedMicroUsd"
    FROM "EditJob" AS job LEFT JOIN "Reservation" AS reservation ON reservation."jobId" = job.id
      AND reservation."ownerId" = job."ownerId"
    WHERE ${ownedRows(ownerId, 'job')} AND coalesce(reservation."reservedAt", job."createdAt") >= ${start}
      -- By index: a job reserves within moments of its creation.
      AND job."createdAt" >= ${start}::timestamptz - interval '1 hour'`;
  if (sums === undefined) throw new Error('a sum has no row');
  return sums;
}
