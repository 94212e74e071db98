import type { Transaction } from '../../database/database.ts';
import type { RawUsage } from '../../models/raw-usage.ts';
import type { EditStatus } from '../edit-status.ts';

/** A job that has just become final. */
export interface EditEnd {
  readonly jobId: string;
  readonly ownerId: string;
  readonly status: Exclude<EditStatus, 'QUEUED' | 'RUNNING'>;
  /** 0: surely nothing. Null: nobody can tell, as after an unknown outcome. */
  readonly costMicroUsd: bigint | null;
  /** As the edits API reported it. Null: it did not. */
  readonly usage: RawUsage | null;
}

/**
 * Told within the transaction that ends a job: what it writes stands if, and only if,
 * the end does. Its failure rolls the end back.
 */
export type OnEditEnd = (tx: Transaction, end: EditEnd) => Promise<void>;
