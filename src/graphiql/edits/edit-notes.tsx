import { formatTime } from '../workbench/format.ts';
import type { Edit } from './edit.ts';
import { useWaiting } from './use-waiting.ts';
import { costWarning } from './waiting.ts';

/** Notes on an edit: why it waits, why it failed, whether it may be billed. */
export function EditNotes({ edit }: { edit: Edit }) {
  const waiting = useWaiting(edit);
  const warning = costWarning(edit);
  return (
    <>
      {waiting && (
        <p className="retouch-note" role="status">
          {waiting.reason}{' '}
          {waiting.until && (
            <b>
              Next attempt at {formatTime(waiting.until)} (in {waiting.seconds} s).
            </b>
          )}
        </p>
      )}
      {edit.error && (
        <p className="retouch-problem">
          <code>{edit.error.code}</code> {edit.error.message}
        </p>
      )}
      {warning && <p className="retouch-note is-warning">{warning}</p>}
      {edit.hasStoredAnswer && (
        <p className="retouch-note">
          The upstream’s response is stored. Reading it again is free and does not send the edit
          again.
        </p>
      )}
    </>
  );
}
