import { v7 as uuid } from 'uuid';
import type { Audit, Auditor } from '../auth/audit.ts';
import { ofAllOwners, ownedRows } from '../auth/visible.ts';
import { Prisma, type PrismaClient, type Transaction } from '../database/database.ts';
import { NotFoundError } from '../errors.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import type { Events } from '../queue/events.ts';
import { formatAmount, type LimitRow, type LimitState, limitState } from './limit-state.ts';
import { windowStart } from './limit-window.ts';

/** Whose edits or requests a limit counts. */
export type LimitTarget =
  | { readonly subject: 'OWNER'; readonly ownerId: string }
  | { readonly subject: 'API_KEY'; readonly apiKeyId: string }
  | {
      readonly subject: 'METADATA';
      /** Null: all owners, who share the limit. */
      readonly ownerId: string | null;
      readonly metadataKey: string;
      readonly metadataValue: string;
    };

/** A limit to set. Only one limit exists for each target, measure and window. */
export interface LimitToSet {
  readonly target: LimitTarget;
  readonly measure: LimitRow['measure'];
  /** TOTAL for CONCURRENT_EDITS, MINUTE for REQUESTS. */
  readonly window: LimitRow['window'];
  /** Null for no change; UTC for a new limit. */
  readonly timeZone: string | null;
  /** Null to remove the limit. */
  readonly amount: bigint | null;
}

/**
 * Creates, changes or removes a limit, and returns it; null if it was removed or did not exist. A
 * new limit, and one whose time zone changes, sums up the edits of its window. The sums are exact
 * also while edits are submitted and end.
 * @throws NotFoundError for an API key that does not exist.
 */
export type SetLimit = (actor: Auditor, limit: LimitToSet) => Promise<LimitState | null>;

export function createSetLimit(options: {
  prisma: PrismaClient;
  events: Pick<Events, 'publish'>;
  audit: Audit;
  /** @default the system's clock */
  now?: () => Date;
}): SetLimit {
  const { prisma, events, audit, now = () => new Date() } = options;

  return (actor, limit) =>
    prisma.$transaction(async (tx) => {
      const { target } = limit;
      if (target.subject === 'API_KEY') await assertKey(tx, target.apiKeyId);
      // Every transaction that counts updates this table, even without effect. So after this, all
      // of them have committed or wait, and the sums are exact.
      await ofAllOwners(tx).$executeRaw`LOCK TABLE "Limit" IN SHARE ROW EXCLUSIVE MODE`;
      const old = await find(tx, limit);
      const row = await change(tx, old, limit, now());
      const one = row ?? old;
      if (one === null) return null;
      await events.publish(tx, { kind: 'limit', limitId: one.id });
      await audit.record(tx, actor, {
        action: 'setLimit',
        object: { type: 'Limit', id: one.id, ownerId: one.ownerId },
        ...(old && { before: described(old) }),
        ...(row && { after: described(row) }),
      });
      return row && limitState(row, now());
    });
}

async function assertKey(tx: Transaction, id: string): Promise<void> {
  const key = await ofAllOwners(tx).apiKey.findUnique({ where: { id }, select: { id: true } });
  if (key === null) throw new NotFoundError('ApiKey', encodeGlobalId('ApiKey', id));
}

function find(tx: Transaction, { target, measure, window }: LimitToSet): Promise<LimitRow | null> {
  const columns = { ownerId: null, apiKeyId: null, metadataKey: null, metadataValue: null };
  return ofAllOwners(tx).limit.findFirst({ where: { ...columns, ...target, measure, window } });
}

async function change(
  tx: Transaction,
  old: LimitRow | null,
  { target, measure, window, timeZone: wanted, amount }: LimitToSet,
  at: Date,
): Promise<LimitRow | null> {
  if (amount === null) {
    if (old !== null) await ofAllOwners(tx).limit.delete({ where: { id: old.id } });
    return null;
  }
  const timeZone = wanted ?? old?.timeZone ?? 'UTC';
  const start = windowStart(window, timeZone, at);
  if (old === null) {
    const used = await sumUp(tx, { target, measure, start });
    const data = { id: uuid(), ...target, measure, window, timeZone, amount, windowStart: start };
    return await ofAllOwners(tx).limit.create({ data: { ...data, ...used } });
  }
  const isSame = timeZone === old.timeZone;
  const data = isSame
    ? {}
    : { timeZone, windowStart: start, ...(await sumUp(tx, { target, measure, start })) };
  return ofAllOwners(tx).limit.update({
    where: { id: old.id },
    data: { amount, ...data, updatedAt: at },
  });
}

interface Sums {
  readonly settled: bigint;
  readonly reserved: bigint;
}

/** What the edits since `start` have used and reserved. Requests are not stored: they begin at 0. */
async function sumUp(
  tx: Transaction,
  { target, measure, start }: Pick<LimitToSet, 'target' | 'measure'> & { start: Date },
): Promise<Sums> {
  if (measure === 'REQUESTS') return { settled: 0n, reserved: 0n };
  if (measure === 'CONCURRENT_EDITS') {
    const [active] = await ofAllOwners(tx).$queryRaw<Sums[]>`
      SELECT 0::bigint AS settled, count(*)::bigint AS reserved FROM "EditJob" AS job
      WHERE job.status IN ('QUEUED', 'RUNNING') AND ${editsOf(target)}`;
    return found(active);
  }
  const [sums] = await ofAllOwners(tx).$queryRaw<Sums[]>`
    SELECT coalesce(sum(${USED[measure]}), 0)::bigint AS settled,
      coalesce(sum(reservation.amount) FILTER (WHERE reservation."settledAt" IS NULL), 0)::bigint
        AS reserved
    FROM "EditJob" AS job LEFT JOIN "LimitReservation" AS reservation ON reservation."jobId" = job.id
      AND reservation."ownerId" = job."ownerId" AND reservation.measure::text = ${measure}
    WHERE ${editsOf(target)} AND coalesce(reservation."reservedAt", job."createdAt") >= ${start}
      -- By index: a job reserves within moments of its creation.
      AND job."createdAt" >= ${start}::timestamptz - interval '1 hour'`;
  return found(sums);
}

/** What an edit has certainly used, by its row. */
const USED = {
  COST: Prisma.sql`job."costMicroUsd"`,
  TOKENS: Prisma.sql`job."totalTokens"`,
  EDITS: Prisma.sql`1`,
  IMAGES: Prisma.sql`job."outputCount"`,
} as const;

function editsOf(target: LimitTarget): Prisma.Sql {
  switch (target.subject) {
    case 'OWNER':
      return ownedRows(target.ownerId, 'job');
    case 'API_KEY':
      return Prisma.sql`job."apiKeyId" IS NOT NULL AND job."apiKeyIds" @> ARRAY[${target.apiKeyId}::uuid]`;
    case 'METADATA': {
      const { ownerId, metadataKey, metadataValue } = target;
      const owners = ownerId === null ? Prisma.sql`TRUE` : ownedRows(ownerId, 'job');
      return Prisma.sql`job.metadata ->> ${metadataKey}::text = ${metadataValue} AND ${owners}`;
    }
  }
}

function found(sums: Sums | undefined): Sums {
  if (sums === undefined) throw new Error('a sum has no row');
  return sums;
}

/** For the audit. */
function described(row: LimitRow) {
  const { subject, ownerId, apiKeyId, metadataKey, metadataValue } = row;
  const { measure, window, timeZone, amount } = row;
  return {
    subject,
    ownerId,
    apiKeyId,
    metadataKey,
    metadataValue,
    measure,
    window,
    timeZone,
    amount: formatAmount(measure, amount),
  };
}
