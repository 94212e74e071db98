import { checkAll, InvalidInputError } from '../../errors.ts';
import type { EditWait, EditWaits } from '../watch/edit-waits.ts';
import type { CreatedEdit } from './submit-job.ts';

export const MAX_WAIT_SECONDS = 600;

/** Below the 60 s after which most proxies time out. */
export const DEFAULT_WAIT_SECONDS = 50;

/**
 * Submits an edit and waits until it is final, at most `waitSeconds`.
 * @param options.check Checks the input, so that its problems are reported together with that of
 *   `waitSeconds`.
 * @param options.submit Must call `expect` with the job's id before it commits, so that no event is
 *   missed.
 * @param options.signal Ends the wait, never the edit.
 * @throws InvalidInputError for a `waitSeconds` out of range, before anything is submitted;
 *   whatever `submit` throws.
 */
export type SubmitAndWait = (options: {
  /** @default DEFAULT_WAIT_SECONDS */
  waitSeconds: number | null | undefined;
  signal: AbortSignal;
  check: () => unknown;
  submit: (expect: (jobId: string) => void) => Promise<CreatedEdit>;
}) => Promise<{ id: string }>;

export function createSubmitAndWait({ editWaits }: { editWaits: EditWaits }): SubmitAndWait {
  return async ({ waitSeconds, signal, check, submit }) => {
    const { wait: seconds } = checkAll({
      input: check,
      wait: () => checkWait(waitSeconds ?? DEFAULT_WAIT_SECONDS),
    });
    const timeoutMs = seconds * 1_000;
    const waits = new Map<string, EditWait>();
    const expect = (jobId: string) => {
      const wait = editWaits.expect(jobId);
      waits.set(jobId, wait);
      return wait;
    };
    try {
      const { id, isNew } = await submit(expect);
      const wait = waits.get(id) ?? expect(id);
      await wait.untilFinal({ timeoutMs, isNew, signal });
      return { id };
    } finally {
      for (const wait of waits.values()) wait.end();
    }
  };
}

function checkWait(seconds: number): number {
  if (seconds >= 0 && seconds <= MAX_WAIT_SECONDS) return seconds;
  throw new InvalidInputError(
    'wait',
    seconds < 0 ? 'TOO_SMALL' : 'TOO_LARGE',
    `wait must be 0 to ${MAX_WAIT_SECONDS} seconds; it is ${seconds}.`,
  );
}
