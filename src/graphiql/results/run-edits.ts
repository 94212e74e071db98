import type { Edit } from '../edits/edit.ts';
import type { Run } from './runs.ts';

/** In milliseconds: the service's clock is known to about a second. */
const CLOCK_TOLERANCE_MS = 3_000;

/** Maximum number of edits below a response. */
const MAX_SHOWN = 20;

/**
 * The edits of a run: those in its response. Without a response, or if it names none (a proxy may
 * have cut it), those that were submitted during the run with its prompt.
 */
export function editsOfRun(
  run: Run,
  edits: readonly Edit[],
  find: (id: string) => Edit | undefined,
): Edit[] {
  if (run.editIds.length > 0) {
    return run.editIds.flatMap((id) => find(id) ?? []).slice(0, MAX_SHOWN);
  }
  const { prompts, startedAt, endedAt } = run;
  if (prompts === null) return [];
  return edits.filter(({ createdAt, prompt }) => {
    const at = Date.parse(createdAt);
    const isWithin =
      at >= startedAt - CLOCK_TOLERANCE_MS && at <= (endedAt ?? Infinity) + CLOCK_TOLERANCE_MS;
    return isWithin && (prompts.length === 0 || prompts.includes(prompt.text));
  });
}
