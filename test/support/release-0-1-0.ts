import { randomUUID } from 'node:crypto';
import type { PrismaClient, Transaction } from '../../src/database/database.ts';
import { windowStart } from '../../src/limits/limit-window.ts';

/** A budget as 0.1.0 stores it. */
export interface Budget {
  readonly ownerId: string;
  readonly limitMicroUsd: bigint;
  readonly period: 'DAY' | 'MONTH' | 'TOTAL';
  readonly periodStart: Date;
  readonly spentMicroUsd: bigint;
  readonly reservedMicroUsd: bigint;
}

interface EndedEdit {
  readonly jobId: string;
  readonly ownerId: string;
  /** Null: unknown. */
  readonly costMicroUsd: bigint | null;
}

const TOKENS = { textInput: 99, imageInput: 99, output: 99 };
const BOUND = { model: 'm', basis: 'b', byRules: TOKENS, raised: TOKENS };

/**
 * What 0.1.0 does with budgets: the statements of its src/limits, and those that Prisma made of its
 * calls.
 */
export function createRelease010({ prisma, now }: { prisma: PrismaClient; now: () => Date }) {
  const startOf = (period: Budget['period']) => windowStart(period, 'UTC', now());

  async function findBudget(ownerId: string, tx: Transaction | PrismaClient = prisma) {
    const [row] = await tx.$queryRaw<Budget[]>`
      SELECT "Budget"."ownerId", "Budget"."limitMicroUsd", "Budget"."period"::text,
        "Budget"."periodStart", "Budget"."spentMicroUsd", "Budget"."reservedMicroUsd"
      FROM "Budget" WHERE ("Budget"."ownerId" = ${ownerId} AND 1=1) LIMIT 1 OFFSET 0`;
    return row ?? null;
  }

  async function reserve(tx: Transaction, jobId: string, ownerId: string, amount: bigint) {
    const at = now();
    const [row] = await tx.$queryRaw<Budget[]>`
      UPDATE "Budget" SET "updatedAt" = ${at} WHERE ("Budget"."ownerId" = ${ownerId} AND 1=1)
      RETURNING "Budget"."ownerId", "Budget"."limitMicroUsd", "Budget"."period"::text,
        "Budget"."periodStart", "Budget"."spentMicroUsd", "Budget"."reservedMicroUsd"`;
    if (row === undefined) return;
    const isOver = row.periodStart < startOf(row.period);
    const spent = isOver ? 0n : row.spentMicroUsd;
    const reserved = isOver ? 0n : row.reservedMicroUsd;
    if (spent + reserved + amount > row.limitMicroUsd) throw new Error('exceeds the budget');
    const start = isOver ? startOf(row.period) : row.periodStart;
    await tx.$executeRaw`
      WITH reserved AS (
        INSERT INTO "Reservation" ("jobId", "ownerId", "amountMicroUsd", bound, "reservedAt")
        VALUES (${jobId}::uuid, ${ownerId}, ${amount}::bigint, ${JSON.stringify(BOUND)}::jsonb, ${at})
      )
      UPDATE "Budget" SET
        "periodStart" = ${start},
        "spentMicroUsd" = ${spent},
        "reservedMicroUsd" = ${reserved + amount}
      WHERE "Budget"."ownerId" = ${ownerId}`;
  }

  async function settle(tx: Transaction, { jobId, ownerId, costMicroUsd }: EndedEdit) {
    if (costMicroUsd === null) return;
    await tx.$queryRaw`
      WITH settled AS (
        UPDATE "Reservation" SET "settledAt" = now()
        WHERE "jobId" = ${jobId}::uuid AND "Reservation"."ownerId" = ${ownerId} AND "settledAt" IS NULL
        RETURNING "amountMicroUsd", "reservedAt", bound
      ), counted AS (
        UPDATE "Budget" SET
          "spentMicroUsd" = "spentMicroUsd" + ${costMicroUsd}::bigint,
          "reservedMicroUsd" = "reservedMicroUsd" - coalesce((SELECT "amountMicroUsd" FROM settled), 0),
          "updatedAt" = now()
        WHERE "Budget"."ownerId" = ${ownerId} AND "periodStart" <= coalesce(
          (SELECT "reservedAt" FROM settled),
          (SELECT "createdAt" FROM "EditJob" WHERE id = ${jobId}::uuid)
        )
      )
      SELECT bound FROM settled`;
  }

  return {
    findBudget: (ownerId: string) => findBudget(ownerId),

    /** @param limit Null removes the budget. */
    setBudget: (ownerId: string, limit: bigint | null, period: Budget['period'] = 'MONTH') =>
      prisma.$transaction(async (tx) => {
        await tx.$executeRaw`LOCK TABLE "Budget" IN SHARE ROW EXCLUSIVE MODE`;
        if (limit === null) {
          await tx.$executeRaw`DELETE FROM "Budget" WHERE ("Budget"."ownerId" = ${ownerId} AND 1=1)`;
          return;
        }
        const start = startOf(period);
        const [sums] = await tx.$queryRaw<{ spent: bigint; reserved: bigint }[]>`
          SELECT
            coalesce(sum(job."costMicroUsd"), 0)::bigint AS spent,
            coalesce(sum(reservation."amountMicroUsd") FILTER (WHERE reservation."settledAt" IS NULL), 0)::bigint
              AS reserved
          FROM "EditJob" AS job LEFT JOIN "Reservation" AS reservation ON reservation."jobId" = job.id
            AND reservation."ownerId" = job."ownerId"
          WHERE job."ownerId" = ${ownerId}
            AND coalesce(reservation."reservedAt", job."createdAt") >= ${start}
            AND job."createdAt" >= ${start}::timestamptz - interval '1 hour'`;
        await tx.$queryRaw`
          INSERT INTO "Budget" ("ownerId", "limitMicroUsd", "period", "periodStart", "spentMicroUsd",
            "reservedMicroUsd", "createdAt", "updatedAt")
          VALUES (${ownerId}, ${limit}, CAST(${period}::text AS "BudgetPeriod"), ${start},
            ${sums?.spent}, ${sums?.reserved}, ${now()}, ${now()})
          ON CONFLICT ("ownerId") DO UPDATE SET
            "limitMicroUsd" = ${limit}, "period" = CAST(${period}::text AS "BudgetPeriod"),
            "periodStart" = ${start}, "spentMicroUsd" = ${sums?.spent},
            "reservedMicroUsd" = ${sums?.reserved}, "updatedAt" = ${now()}
          WHERE ("Budget"."ownerId" = ${ownerId} AND 1=1) RETURNING "Budget"."ownerId"`;
      }),

    /** Submits an edit that reserves so much; returns its id. @throws if the budget has less room. */
    async insert(ownerId: string, amount: bigint): Promise<string> {
      const [id, promptId] = [randomUUID(), randomUUID()];
      await prisma.$transaction(async (tx) => {
        await tx.$executeRaw`
          INSERT INTO "Prompt" (id, "ownerId", sha256, text)
          VALUES (${promptId}::uuid, ${ownerId}, ${promptId.replaceAll('-', '').repeat(2)}, 'p')`;
        await tx.$executeRaw`
          INSERT INTO "EditJob" (id, "ownerId", sandbox, turn, "promptId", model, size, "resolvedSize",
            n, "createdAt")
          VALUES (${id}::uuid, ${ownerId}, FALSE, 0, ${promptId}::uuid, 'm', 's', 's', 1, ${now()})`;
        await reserve(tx, id, ownerId, amount);
      });
      return id;
    },

    /** Ends an edit at a cost; null: nobody knows it. */
    end: (ended: EndedEdit) =>
      prisma.$transaction(async (tx) => {
        const status = ended.costMicroUsd === null ? 'OUTCOME_UNKNOWN' : 'SUCCEEDED';
        await tx.$executeRaw`
          UPDATE "EditJob" SET status = CAST(${status}::text AS "EditStatus"), "finishedAt" = now(),
            "costMicroUsd" = ${ended.costMicroUsd}
          WHERE id = ${ended.jobId}::uuid AND "ownerId" = ${ended.ownerId}`;
        await settle(tx, ended);
      }),

    reprice: (changes: readonly { readonly jobId: string; readonly amountMicroUsd: bigint }[]) =>
      prisma.$transaction(async (tx) => {
        const jobIds = changes.map(({ jobId }) => jobId);
        const amounts = changes.map(({ amountMicroUsd }) => amountMicroUsd);
        await tx.$executeRaw`
          UPDATE "Budget" AS budget SET "updatedAt" = now()
          FROM (
            SELECT "ownerId" FROM "Budget" WHERE "ownerId" IN (
              SELECT "ownerId" FROM "EditJob" WHERE id = ANY (${jobIds}::uuid[])
            )
            ORDER BY "ownerId" FOR NO KEY UPDATE
          ) AS locked
          WHERE budget."ownerId" = locked."ownerId"`;
        await tx.$executeRaw`
          WITH released AS (
            UPDATE "Reservation" SET "settledAt" = now()
            WHERE "jobId" = ANY (${jobIds}::uuid[]) AND "settledAt" IS NULL
            RETURNING "jobId", "amountMicroUsd"
          ), changes AS (
            SELECT budget."ownerId",
              sum(new.amount - coalesce(job."costMicroUsd", 0))::bigint AS spent,
              coalesce(sum(released."amountMicroUsd"), 0)::bigint AS released
            FROM unnest(${jobIds}::uuid[], ${amounts}::bigint[]) AS new (id, amount)
            JOIN "EditJob" AS job ON job.id = new.id
            JOIN "Budget" AS budget ON budget."ownerId" = job."ownerId"
            LEFT JOIN "Reservation" AS reservation ON reservation."jobId" = job.id
            LEFT JOIN released ON released."jobId" = job.id
            WHERE coalesce(reservation."reservedAt", job."createdAt") >= budget."periodStart"
            GROUP BY budget."ownerId"
          )
          UPDATE "Budget" AS budget SET
            "spentMicroUsd" = "spentMicroUsd" + changes.spent,
            "reservedMicroUsd" = "reservedMicroUsd" - changes.released,
            "updatedAt" = now()
          FROM changes
          WHERE budget."ownerId" = changes."ownerId"`;
        await tx.$executeRaw`
          UPDATE "EditJob" AS job SET "costMicroUsd" = new.amount
          FROM unnest(${jobIds}::uuid[], ${amounts}::bigint[]) AS new (id, amount)
          WHERE job.id = new.id`;
      }),
  };
}
