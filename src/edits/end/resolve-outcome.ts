import type { Audit, Auditor } from '../../auth/audit.ts';
import { ofAllOwners, ownedBy } from '../../auth/visible.ts';
import type { PrismaClient, Transaction } from '../../database/database.ts';
import { JobNotResolvableError, NotFoundError } from '../../errors.ts';
import { formatAmount } from '../../limits/limit-state.ts';
import { type KnownUse, recountLimits } from '../../limits/recount-limits.ts';
import { MANUAL_PRICE_VERSION } from '../../models/prices.ts';
import { encodeGlobalId } from '../../public-ids/global-id.ts';
import type { Ledger } from '../../usage/ledger.ts';

/** An admin's decision on the cost of an edit. */
export interface Resolution {
  readonly jobId: string;
  readonly isPaid: boolean;
  /** 0 unless it was paid. */
  readonly costMicroUsd: bigint;
}

/**
 * Charges an edit of unknown cost with what an admin has found out, and settles its reservations of
 * cost; of tokens and images, too, if it was not paid. The status stays. A later call replaces the
 * charge of an earlier one.
 * @throws NotFoundError; JobNotResolvableError if the cost is or will be known otherwise.
 */
export type ResolveOutcome = (actor: Auditor, resolution: Resolution) => Promise<{ id: string }>;

export function createResolveOutcome(options: {
  prisma: PrismaClient;
  ledger: Pick<Ledger, 'chargeManually'>;
  audit: Audit;
}): ResolveOutcome {
  const { prisma, ledger, audit } = options;

  return (actor, { jobId, isPaid, costMicroUsd }) =>
    prisma.$transaction(async (tx) => {
      const { ownerId, priceVersion, previous } = await lock(tx, jobId);
      const { change } = await ledger.chargeManually(tx, { jobId, ownerId }, costMicroUsd);
      const uses: KnownUse[] = [
        { jobId, measure: 'COST', change },
        ...(isPaid ? [] : await unsettledUse(tx, { jobId, ownerId })),
      ];
      await audit.record(tx, actor, {
        action: 'resolveOutcome',
        object: { type: 'EditJob', id: jobId, ownerId },
        before: { cost: previous === null ? null : formatAmount('COST', previous), priceVersion },
        after: {
          paid: isPaid,
          cost: formatAmount('COST', costMicroUsd),
          priceVersion: MANUAL_PRICE_VERSION,
        },
      });
      // Last, as other edits wait for the limits that it locks.
      await recountLimits(tx, uses);
      return { id: jobId };
    });
}

/** An edit that was not paid used nothing of what it has reserved. */
async function unsettledUse(
  tx: Transaction,
  { jobId, ownerId }: { jobId: string; ownerId: string },
): Promise<KnownUse[]> {
  const measures = ['TOKENS', 'IMAGES'] as const;
  const open = await tx.limitReservation.findMany({
    where: { jobId, ...ownedBy(ownerId), settledAt: null, measure: { in: [...measures] } },
  });
  return measures
    .filter((measure) => open.some((reservation) => reservation.measure === measure))
    .map((measure) => ({ jobId, measure, change: 0n }));
}

/** Locks the job against its end, repricing and deletion. */
async function lock(tx: Transaction, jobId: string) {
  const [locked] = await ofAllOwners(tx).$queryRaw<{ ownerId: string }[]>`
    SELECT "ownerId" FROM "EditJob"
    WHERE id = ${jobId}::uuid AND "deletedAt" IS NULL FOR NO KEY UPDATE`;
  if (locked === undefined) throw new NotFoundError('EditJob', encodeGlobalId('EditJob', jobId));
  // A separate statement: one that waits for a lock reads other tables in their earlier state.
  const { ownerId, status, errorCode, charges } = await ofAllOwners(tx).editJob.findUniqueOrThrow({
    where: { id: jobId },
    select: {
      ownerId: true,
      status: true,
      errorCode: true,
      charges: { where: { supersededAt: null } },
    },
  });
  const [charge] = charges;
  const isManual = charge?.priceVersion === MANUAL_PRICE_VERSION;
  const isUnknown =
    status === 'OUTCOME_UNKNOWN' ||
    (status === 'CANCELED' && errorCode !== null) ||
    (status === 'SUCCEEDED' && charge === undefined);
  if (!isUnknown && !isManual) throw new JobNotResolvableError(status);
  return {
    ownerId,
    priceVersion: charge?.priceVersion ?? null,
    previous: charge?.amountMicroUsd ?? null,
  };
}
