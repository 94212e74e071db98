import { ownedBy, ownedRows } from '../auth/visible.ts';
import type { Prisma, PrismaClient, Transaction } from '../database/database.ts';
import { type ReservedBound, raiseBounds } from '../limits/raised-bounds.ts';
import type { Log } from '../log.ts';
import type { RawUsage } from '../models/raw-usage.ts';
import { periodStart } from './budget-period.ts';
import { type BudgetState, budgetState, checkRoom } from './budget-state.ts';

/** An edit that has just ended. */
export interface SettledEdit {
  readonly jobId: string;
  readonly ownerId: string;
  /** Null: not known. What is reserved stays reserved. */
  readonly costMicroUsd: bigint | null;
  /** As reported. Null: it was not. */
  readonly usage: RawUsage | null;
}

/** What an edit reserves. */
export interface Reserved {
  readonly amountMicroUsd: bigint;
  /** The tokens that the amount is for. */
  readonly bound: ReservedBound;
}

/**
 * What owners may spend. An edit reserves the most that it can cost in the transaction that takes it
 * in, and its cost takes that place in the transaction that ends it; so no number of processes
 * spends more than was allowed.
 *
 * The budget's row is the last one that a transaction locks (before bounds that usage raises), and
 * each locks one only: they wait for each other and cannot deadlock.
 */
export interface Budgets {
  /** Null: the owner may spend without limit. */
  find(ownerId: string): Promise<BudgetState | null>;
  /** Without locking anything. @throws BudgetExceededError when less is left already. */
  look(
    tx: Transaction,
    edit: Pick<Reserved, 'amountMicroUsd'> & { ownerId: string },
  ): Promise<void>;
  /**
   * For a new job of the same transaction. Nothing when the owner has no budget any more.
   * @throws BudgetExceededError when less is left: roll back.
   */
  reserve(tx: Transaction, job: Reserved & { jobId: string; ownerId: string }): Promise<void>;
  /**
   * In the transaction that ends the job, once. One statement by index, also for an owner without
   * a budget. Of a period that is over nothing counts. The cost of a job that has reserved nothing,
   * since it is older than the budget, counts too. Usage above the reserved bound is logged, and
   * raises that bound for later reservations.
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
      // Locks the row as it is now, and the table against a budget that is being set.
      const [row] = await tx.budget.updateManyAndReturn({
        where: ownedBy(ownerId),
        data: { updatedAt: at },
      });
      if (row === undefined) return;
      const state = budgetState(row, at);
      checkRoom(state, amountMicroUsd);
      // A clock that is behind another process's never brings a period back.
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
      // After the budget, which is locked first everywhere: bounds are the owners' in common.
      for (const overshoot of await raiseBounds(tx, settled.bound, usage)) {
        log.warn({ jobId, ...overshoot }, 'usage above its bound: later edits reserve more');
      }
    },
  };
}
