import type { Transaction } from '../database/database.ts';
import type { PriceTable } from '../models/prices.ts';
import type { RawUsage } from '../models/raw-usage.ts';
import { type PricedUsage, priceUsage } from './pricing.ts';

/** What edits cost, written down as they end. */
export interface Ledger {
  /**
   * At the prices of the time when the attempt went out: what is ordered goes at the price of that
   * moment, and the end may be minutes later. Null: not known.
   */
  price(model: string, usage: RawUsage, sentAt: Date): PricedUsage | null;
  /** In the transaction that makes the edit succeed, and sets its `costMicroUsd`. One statement. */
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
