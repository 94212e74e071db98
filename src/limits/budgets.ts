import { ownedBy, ownedRows } from '../auth/visible.ts';
import type { Prisma, PrismaClient, Transaction } from '../database/database.ts';
import { type ReservedBound, raiseBounds } from '../limits/raised-bounds.ts';
import type { Log } from '../log.ts';
import type { RawUsage } from '../models/raw-usage.ts';
import { periodStart } from './budget-period.ts';
import { type BudgetState, budgetState, checkRoom } from './budget-state.ts';

/** An edit that is ending. */
export interface SettledEdit {
  readonly jobId: string;
  readonly ownerId: string;
  /** Null if unknown. The reservation then stays. */
  readonly costMicroUsd: bigint | null;
  /** As reported; null if it was not. */
  readonly usage: RawUsage | null;
}

/** What an edit reserves. */
export interface Reserved {
  readonly amountMicroUsd: bigint;
  /** The token bound that the amount is computed from. */
  readonly bound: ReservedBound;
}

/**
 * Spending limits of owners. An edit reserves its maximum cost in the transaction that submits it,
 * and its actual cost replaces the reservation in the transaction that ends it, so that any number
 * of processes cannot overspend.
 *
 * To avoid deadlocks, a transaction locks only one budget row, as its last lock (before bounds that
 * usage raises).
 */
export interface Budgets {
  /** Null if the owner may spend without limit. */
  find(ownerId: string): Promise<BudgetState | null>;
  /** Checks without locks. @throws BudgetExceededError if less remains. */
  look(
    tx: Transaction,
    edit: Pick<Reserved, 'amountMicroUsd'> & { ownerId: string },
  ): Promise<void>;
  /**
   * Reserves for a new job of the same transaction. No-op if the owner has no budget.
   * @throws BudgetExceededError if less remains; roll back.
   */
  reserve(tx: Transaction, job: Reserved & { jobId: string; ownerId: string }): Promise<void>;
  /**
   * Call once in the transaction that ends the job. One indexed statement, also for an owner
   * without a budget. Ignores reservations of a past period. Also counts the cost of a job that
   * reserved nothing because it is older than the budget. Usage above the reserved bound is logged,
   * and raises that bound for later reservations.
   */
  settle(tx: Transaction, edit: SettledEdit): Promise<void>;
}

export function createBudgets(options: {
  prisma: PrismaClient;
  log: Log;
  /** @default the system's clock */
  now?: () => Date;
}): Budgets {
  const { prisma, log, now = () => new Date() } = options;

  async function findIn(tx: Pick<Transaction, 'budget'>, ownerId: string, at: Date) {
    const row = await tx.budget.findUnique({ where: ownedBy(ownerId) });
    return row && budgetState(row, at);
  }

  return {
    find: (ownerId) => findIn(prisma, ownerId, now()),

    async look(tx, { ownerId, amountMicroUsd }) {
      const state = await findIn(tx, ownerId, now());
      if (state !== null) checkRoom(state, amountMicroUsd);
    },

    async reserve(tx, { jobId, ownerId, amountMicroUsd, bound }) {
      const at = now();
      // Locks the current row, and the table against a concurrent setBudget.
      const [row] = await tx.budget.updateManyAndReturn({
        where: ownedBy(ownerId),
        data: { updatedAt: at },
      });
      if (row === undefined) return;
      const state = budgetState(row, at);
      checkRoom(state, amountMicroUsd);
      // A clock behind another process's never restores a past period.
      const latest = (...times: Date[]) => new Date(Math.max(...times.map(Number)));
      const start = latest(periodStart(row.period, at), row.periodStart);
      await tx.$executeRaw`
        WITH reserved AS (
          INSERT INTO "Reservation" ("jobId", "ownerId", "amountMicroUsd", bound, "reservedAt")
          VALUES (
            ${jobId}::uuid, ${ownerId}, ${amountMicroUsd}::bigint, ${JSON.stringify(bound)}::jsonb,
            ${latest(at, start)}
          )
        )
        UPDATE "Budget" SET
          "periodStart" = ${start},
          "spentMicroUsd" = ${state.spentMicroUsd},
          "reservedMicroUsd" = ${state.reservedMicroUsd + amountMicroUsd}
        WHERE ${ownedRows(ownerId, 'Budget')}`;
    },

    async settle(tx, { jobId, ownerId, costMicroUsd, usage }) {
      if (costMicroUsd === null) return;
      const [settled] = await tx.$queryRaw<{ bound: Prisma.JsonValue }[]>`
        WITH settled AS (
          UPDATE "Reservation" SET "settledAt" = now()
          WHERE "jobId" = ${jobId}::uuid AND ${ownedRows(ownerId, 'Reservation')} AND "settledAt" IS NULL
          RETURNING "amountMicroUsd", "reservedAt", bound
        ), counted AS (
          UPDATE "Budget" SET
            "spentMicroUsd" = "spentMicroUsd" + ${costMicroUsd}::bigint,
            "reservedMicroUsd" = "reservedMicroUsd" - coalesce((SELECT "amountMicroUsd" FROM settled), 0),
            "updatedAt" = now()
          WHERE ${ownedRows(ownerId, 'Budget')} AND "periodStart" <= coalesce(
            (SELECT "reservedAt" FROM settled),
            (SELECT "createdAt" FROM "EditJob" WHERE id = ${jobId}::uuid)
          )
        )
        SELECT bound FROM settled`;
      if (settled === undefined || usage === null) return;
      // After the budget, which is always locked first: all owners share the bounds.
      for (const overshoot of await raiseBounds(tx, settled.bound, usage)) {
        log.warn({ jobId, ...overshoot }, 'usage exceeded its bound; later edits reserve more');
      }
    },
  };
}
