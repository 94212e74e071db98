import { ownedBy } from '../auth/visible.ts';
import type { Transaction } from '../database/database.ts';
import { MANUAL_PRICE_VERSION, type PriceTable } from '../models/prices.ts';
import type { RawUsage } from '../models/raw-usage.ts';
import { type PricedUsage, priceKinds, priceUsage, type UsedTokens } from './pricing.ts';

/** Records the cost of edits when they end. */
export interface Ledger {
  /**
   * At the prices of the time when the attempt was sent, because that is when the edit was ordered;
   * it may end minutes later. Null if unknown.
   */
  price(model: string, usage: RawUsage, sentAt: Date): PricedUsage | null;
  /** The parts of that cost, by kind of tokens. */
  priceKinds(model: string, usage: RawUsage, sentAt: Date): readonly UsedTokens[];
  /**
   * Call in the transaction that makes the edit succeed; also sets its `costMicroUsd`. One
   * statement.
   */
  charge(
    tx: Transaction,
    job: { readonly jobId: string; readonly ownerId: string },
    cost: PricedUsage,
  ): Promise<void>;
  /**
   * Replaces the current charge by an amount that an admin has set, and sets the job's
   * `costMicroUsd`. Returns by how much that changes the cost. The transaction has locked the job.
   */
  chargeManually(
    tx: Transaction,
    job: { readonly jobId: string; readonly ownerId: string },
    amountMicroUsd: bigint,
  ): Promise<{ change: bigint }>;
  /** The current charge of a job if an admin has set it. */
  manualCharge(
    tx: Transaction,
    job: { readonly jobId: string; readonly ownerId: string },
  ): Promise<PricedUsage | null>;
}

export function createLedger({ prices }: { prices: PriceTable }): Ledger {
  return {
    price: (model, usage, sentAt) => priceUsage(prices, model, usage, sentAt),
    priceKinds: (model, usage, sentAt) =>
      priceKinds(usage, prices.at(model, sentAt)?.prices ?? null),
    async charge(tx, { jobId, ownerId }, cost) {
      await tx.charge.createMany({ data: { jobId, ownerId, ...cost } });
    },
    async chargeManually(tx, { jobId, ownerId }, amountMicroUsd) {
      const where = { jobId, ...ownedBy(ownerId), supersededAt: null };
      const [current] = await tx.charge.updateManyAndReturn({
        where,
        data: { supersededAt: new Date() },
      });
      await tx.charge.createMany({
        data: { jobId, ownerId, amountMicroUsd, priceVersion: MANUAL_PRICE_VERSION },
      });
      await tx.editJob.updateMany({
        where: { id: jobId, ...ownedBy(ownerId) },
        data: { costMicroUsd: amountMicroUsd },
      });
      return { change: amountMicroUsd - (current?.amountMicroUsd ?? 0n) };
    },
    manualCharge: (tx, { jobId, ownerId }) =>
      tx.charge.findFirst({
        where: {
          jobId,
          ...ownedBy(ownerId),
          supersededAt: null,
          priceVersion: MANUAL_PRICE_VERSION,
        },
      }),
  };
}
