import type { EditStatus } from './edit.ts';

const WORDS: Readonly<Record<EditStatus, string>> = {
  QUEUED: 'Queued',
  RUNNING: 'Running',
  SUCCEEDED: 'Done',
  FAILED: 'Failed',
  OUTCOME_UNKNOWN: 'Outcome unknown',
  CANCELED: 'Canceled',
};

export function StatusBadge({ status }: { status: EditStatus }) {
  return (
    <span className="retouch-status" data-status={status}>
      {WORDS[status]}
    </span>
  );
}
