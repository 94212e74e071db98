import type { Log } from '../../log.ts';
import { formatDecimal, USD_FRACTION_DIGITS } from '../../models/decimal.ts';
import { encodeGlobalId } from '../../public-ids/global-id.ts';
import type { CommittedEnd } from './end-edit.ts';

/** Writes the one line of an edit that has ended. Unknown figures are absent. */
export function logEnd(log: Log, end: CommittedEnd): void {
  const { jobId, ownerId, status, job, costMicroUsd, usage } = end;
  const { attempts, upstreamRequestId, errorCode } = end;
  const line = {
    edit: encodeGlobalId('EditJob', jobId),
    owner: ownerId,
    status,
    model: job.model,
    ...(job.upstream !== null && { upstream: job.upstream }),
    ...(errorCode !== null && { code: errorCode }),
    ...(attempts !== null && { attempts }),
    ...(job.durationMs !== null && { durationMs: job.durationMs }),
    ...(usage !== null && { tokens: usage.inputTokens + usage.outputTokens }),
    ...(costMicroUsd !== null && { costUsd: formatDecimal(costMicroUsd, USD_FRACTION_DIGITS) }),
    ...(upstreamRequestId !== null && { upstreamRequestId }),
  };
  log[LEVELS[status]](line, 'edit ended');
}

/** An operator can do something about an unknown outcome. */
const LEVELS = {
  SUCCEEDED: 'info',
  FAILED: 'info',
  CANCELED: 'info',
  OUTCOME_UNKNOWN: 'warn',
} as const satisfies Record<CommittedEnd['status'], string>;
