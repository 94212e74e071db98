import { EditStatus } from '../database/generated/prisma/enums.ts';

export { EditStatus };

/** Only OUTCOME_UNKNOWN can change again: to SUCCEEDED, when a stored response is read again. */
export type FinalStatus = Exclude<EditStatus, 'QUEUED' | 'RUNNING'>;

export const FINAL_STATUSES: readonly FinalStatus[] = Object.values(EditStatus).filter(isFinal);

export function isFinal(status: EditStatus): status is FinalStatus {
  return status !== 'QUEUED' && status !== 'RUNNING';
}
