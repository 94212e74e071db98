import { ofAllOwners, ownedRows } from '../auth/visible.ts';
import { Prisma, type PrismaClient, type Transaction } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { RawUsage } from '../models/raw-usage.ts';
import { APPLIES, asJob, LIMIT_COLUMNS, type LimitedEdit, OF_EDITS } from './applies.ts';
import { checkRoom, type EditAmounts } from './check-room.ts';
import { type EditMeasure, type LimitRow, type LimitState, limitState } from './limit-state.ts';
import { type ReservedBound, raiseBounds } from './raised-bounds.ts';

/** What an edit reserves. */
export interface Reserved {
  readonly amounts: EditAmounts;
  /** The token bound that COST and TOKENS are computed from; null if there are neither. */
  readonly bound: ReservedBound | null;
}

/** A new job, inserted by the same transaction. */
export type ReservingJob = Reserved & { readonly jobId: string; readonly ownerId: string };

/** An edit that is ending. */
export interface SettledEdit {
  readonly jobId: string;
  readonly ownerId: string;
  /** What it used. Unknown: absent. The reservation then stays. */
  readonly used: Readonly<Partial<Record<'COST' | 'TOKENS' | 'IMAGES', bigint>>>;
  /** Whether it was queued or running until now. */
  readonly wasActive: boolean;
  /** As reported; null if it was not. */
  readonly usage: RawUsage | null;
}

/**
 * What owners, API keys and edits with certain metadata may use. An edit reserves its maximum in
 * every limit that applies to it, in the transaction that submits it, and its actual use replaces
 * the reservation in the transaction that ends it. So any number of processes cannot exceed a limit.
 * An edit counts in the windows of its submission.
 *
 * To avoid deadlocks, a transaction locks limits last (before bounds that usage raises), and all in
 * the order of their ids. Each such statement also locks the table against a concurrent setLimit,
 * even if no limit applies.
 */
export interface Limits {
  /** The limits that apply to an edit. */
  applyingTo(edit: LimitedEdit): Promise<readonly LimitState[]>;
  /** The limits of an owner, of API keys, and of the metadata of the owner's edits; oldest first. */
  list(of: {
    readonly ownerId: string;
    /** Null: the keys of the owner. */
    readonly apiKeyIds: readonly string[] | null;
  }): Promise<readonly LimitState[]>;
  /** Checks without locks. @throws LimitExceededError */
  look(tx: Transaction, edit: LimitedEdit, amounts: EditAmounts): Promise<void>;
  /**
   * Reserves for a new job. One statement if no limit applies. Without a known amount, an edit
   * reserves nothing in limits of that measure, but counts when it ends.
   * @throws LimitExceededError if a limit has less room; roll back.
   */
  reserve(tx: Transaction, job: ReservingJob): Promise<void>;
  /**
   * Call once in the transaction that ends the job. One statement. Ignores windows that are over.
   * Also counts a job that reserved nothing because it is older than the limit. Usage above the
   * reserved bound is logged, and raises that bound for later reservations.
   */
  settle(tx: Transaction, edit: SettledEdit): Promise<void>;
}

export function createLimits(options: {
  prisma: PrismaClient;
  log: Log;
  /** @default the system's clock */
  now?: () => Date;
}): Limits {
  const { prisma, log, now = () => new Date() } = options;

  async function applyingIn(tx: Pick<Transaction, '$queryRaw'>, edit: LimitedEdit, at: Date) {
    const rows = await ofAllOwners(tx).$queryRaw<LimitRow[]>`
      SELECT ${LIMIT_COLUMNS} FROM "Limit", ${asJob(edit)} WHERE ${OF_EDITS} AND ${APPLIES}`;
    return rows.map((row) => limitState(row, at));
  }

  return {
    applyingTo: (edit) => applyingIn(prisma, edit, now()),

    async list({ ownerId, apiKeyIds }) {
      const keys =
        apiKeyIds === null
          ? Prisma.sql`IN (SELECT id FROM "ApiKey" WHERE ${ownedRows(ownerId, 'ApiKey')})`
          : Prisma.sql`= ANY (${[...apiKeyIds]}::uuid[])`;
      const rows = await prisma.$queryRaw<LimitRow[]>`
        SELECT ${LIMIT_COLUMNS} FROM "Limit"
        WHERE ${ownedRows(ownerId, 'Limit')} OR "Limit"."apiKeyId" ${keys}
          OR "Limit".subject = 'METADATA' AND "Limit"."ownerId" IS NULL
        ORDER BY "Limit"."createdAt", "Limit".id`;
      return rows.map((row) => limitState(row, now()));
    },

    async look(tx, edit, amounts) {
      const at = now();
      checkRoom(await applyingIn(tx, edit, at), amounts, at);
    },

    async reserve(tx, job) {
      const rows = await lockApplying(tx, job.jobId);
      if (rows.length > 0) await writeReservations(tx, job, rows, now());
    },

    async settle(tx, edit) {
      const bound = await writeSettlement(tx, edit);
      const { jobId, usage } = edit;
      if (bound === null || usage === null) return;
      // After the limits, which are always locked first: all owners share the bounds.
      for (const overshoot of await raiseBounds(tx, bound, usage)) {
        log.warn({ jobId, ...overshoot }, 'usage exceeded its bound; later edits reserve more');
      }
    },
  };
}

function lockApplying(tx: Transaction, jobId: string): Promise<LimitRow[]> {
  return ofAllOwners(tx).$queryRaw<LimitRow[]>`
    UPDATE "Limit" SET "updatedAt" = now()
    FROM (
      SELECT "Limit".id FROM "Limit", "EditJob" AS job
      WHERE job.id = ${jobId}::uuid AND ${OF_EDITS} AND ${APPLIES}
      ORDER BY "Limit".id FOR NO KEY UPDATE OF "Limit"
    ) AS locked
    WHERE "Limit".id = locked.id RETURNING ${LIMIT_COLUMNS}`;
}

/** Measures that are counted without a reservation, which is settled from the start. */
const SETTLED_AT_ONCE: ReadonlySet<string> = new Set<EditMeasure>(['EDITS']);

async function writeReservations(
  tx: Transaction,
  { jobId, ownerId, amounts, bound }: ReservingJob,
  rows: readonly LimitRow[],
  time: Date,
): Promise<void> {
  // A clock behind another process's never restores a window that is over.
  const at = new Date(Math.max(Number(time), ...rows.map((row) => Number(row.windowStart))));
  const states = rows.map((row) => limitState(row, at));
  checkRoom(states, amounts, at);
  const asked = new Map<string, bigint>(Object.entries(amounts));
  const added = (measure: string, isSettled: boolean) =>
    SETTLED_AT_ONCE.has(measure) === isSettled ? (asked.get(measure) ?? 0n) : 0n;
  const measures = [...new Set(states.map(({ measure }) => measure))].filter(
    // That of concurrent edits ends with the edit.
    (measure) => asked.has(measure) && measure !== 'CONCURRENT_EDITS',
  );
  await ofAllOwners(tx).$executeRaw`
    WITH reserved AS (
      INSERT INTO "LimitReservation" ("jobId", "ownerId", measure, amount, bound, "reservedAt", "settledAt")
      SELECT ${jobId}::uuid, ${ownerId}, new.measure::"LimitMeasure", new.amount,
        CASE WHEN new.measure IN ('COST', 'TOKENS') THEN ${bound && JSON.stringify(bound)}::jsonb END,
        ${at}, CASE WHEN new."isSettled" THEN ${at}::timestamptz END
      FROM unnest(
        ${measures}::text[], ${measures.map((measure) => asked.get(measure) ?? 0n)}::bigint[],
        ${measures.map((measure) => SETTLED_AT_ONCE.has(measure))}::boolean[]
      ) AS new (measure, amount, "isSettled")
    )
    UPDATE "Limit" SET
      "windowStart" = new.start, settled = new.settled, reserved = new.reserved
    FROM unnest(
      ${states.map(({ id }) => id)}::uuid[],
      ${states.map((state) => state.windowStart)}::timestamptz[],
      ${states.map(({ measure, settled }) => settled + added(measure, true))}::bigint[],
      ${states.map(({ measure, reserved }) => reserved + added(measure, false))}::bigint[]
    ) AS new (id, start, settled, reserved)
    WHERE "Limit".id = new.id`;
}

/** Returns the bound of a reservation that was settled now; null if there was none. */
async function writeSettlement(
  tx: Transaction,
  { jobId, ownerId, used, wasActive }: SettledEdit,
): Promise<Prisma.JsonValue | null> {
  const known = Object.entries(used);
  const measures = known.map(([measure]) => measure);
  const [settled] = await ofAllOwners(tx).$queryRaw<{ bound: Prisma.JsonValue }[]>`
    WITH known AS (
      SELECT measure, amount
      FROM unnest(${measures}::text[], ${known.map(([, amount]) => amount)}::bigint[])
        AS known (measure, amount)
    ), settled AS (
      UPDATE "LimitReservation" AS reservation SET "settledAt" = now() FROM known
      WHERE reservation."jobId" = ${jobId}::uuid AND ${ownedRows(ownerId, 'reservation')}
        AND reservation.measure::text = known.measure AND reservation."settledAt" IS NULL
      RETURNING known.measure, reservation.amount, reservation."reservedAt", reservation.bound
    ), changes AS (
      SELECT known.measure, known.amount AS used, coalesce(settled.amount, 0) AS released,
        coalesce(settled."reservedAt", job."createdAt") AS at
      FROM known JOIN "EditJob" AS job ON job.id = ${jobId}::uuid
      LEFT JOIN settled ON settled.measure = known.measure
      UNION ALL
      SELECT 'CONCURRENT_EDITS', 0, 1, now() WHERE ${wasActive}
    ), counted AS (
      UPDATE "Limit" SET
        settled = "Limit".settled + changes.used,
        reserved = "Limit".reserved - changes.released,
        "updatedAt" = now()
      FROM changes, (
        SELECT "Limit".id FROM "Limit", "EditJob" AS job
        WHERE job.id = ${jobId}::uuid AND ${APPLIES}
          AND "Limit".measure::text = ANY (${[...measures, ...(wasActive ? ['CONCURRENT_EDITS'] : [])]}::text[])
        ORDER BY "Limit".id FOR NO KEY UPDATE OF "Limit"
      ) AS locked
      WHERE "Limit".id = locked.id AND "Limit".measure::text = changes.measure
        AND "Limit"."windowStart" <= changes.at
    )
    SELECT bound FROM settled WHERE bound IS NOT NULL LIMIT 1`;
  return settled?.bound ?? null;
}
