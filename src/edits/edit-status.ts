import { EditStatus } from '../generated/prisma/enums.ts';

export { EditStatus };

/** Which status may follow which; the final ones are followed by none. */
const NEXT: Record<EditStatus, readonly EditStatus[]> = {
  QUEUED: ['RUNNING', 'CANCELED'],
  // Back to the queue only after an attempt that was surely not processed.
  RUNNING: ['QUEUED', 'SUCCEEDED', 'FAILED', 'OUTCOME_UNKNOWN', 'CANCELED'],
  SUCCEEDED: [],
  FAILED: [],
  OUTCOME_UNKNOWN: [],
  CANCELED: [],
};

export const FINAL_STATUSES: readonly EditStatus[] = Object.values(EditStatus).filter(
  (status) => NEXT[status].length === 0,
);

export function isFinal(status: EditStatus): boolean {
  return NEXT[status].length === 0;
}

/** The statuses that `next` may follow: the guard of an update (`where: { status: { in: … } }`). */
export function statusesBefore(next: EditStatus): EditStatus[] {
  return Object.values(EditStatus).filter((status) => NEXT[status].includes(next));
}
