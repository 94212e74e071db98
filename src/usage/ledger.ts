import type { Transaction } from '../database/database.ts';
import type { PriceTable } from '../models/prices.ts';
import type { RawUsage } from '../models/raw-usage.ts';
import { type PricedUsage, priceUsage } from './pricing.ts';

/** Records the cost of edits when they end. */
export interface Ledger {
  /**
   * At the prices of the time when the attempt was sent, because that is when the edit was ordered;
   * it may end minutes later. Null if unknown.
   */
  price(model: string, usage: RawUsage, sentAt: Date): PricedUsage | null;
  /**
   * Call in the transaction that makes the edit succeed; also sets its `costMicroUsd`. One
   * statement.
   */
  charge(
    tx: Transaction,
    job: { readonly jobId: string; readonly ownerId: string },
    cost: PricedUsage,
  ): Promise<void>;
}

export function createLedger({ prices }: { prices: PriceTable }): Ledger {
  return {
    price: (model, usage, sentAt) => priceUsage(prices, model, usage, sentAt),
    async charge(tx, { jobId, ownerId }, cost) {
      await tx.charge.createMany({ data: { jobId, ownerId, ...cost } });
    },
  };
}
