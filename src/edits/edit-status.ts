import { EditStatus } from '../database/generated/prisma/enums.ts';

export { EditStatus };

/**
 * Those that nothing leaves by itself. OUTCOME_UNKNOWN becomes SUCCEEDED when a stored answer is read
 * again on request.
 */
export const FINAL_STATUSES: readonly EditStatus[] = Object.values(EditStatus).filter(
  (status) => status !== 'QUEUED' && status !== 'RUNNING',
);

export function isFinal(status: EditStatus): boolean {
  return FINAL_STATUSES.includes(status);
}
