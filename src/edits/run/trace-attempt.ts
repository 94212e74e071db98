import { encodeGlobalId } from '../../public-ids/global-id.ts';
import { ATTRIBUTE } from '../../telemetry/gen-ai-names.ts';
import type { Traces } from '../../telemetry/traces.ts';
import type { ClaimedJob } from './claim-edit.ts';

/** Runs an attempt in the trace of the request that submitted its edit, and records its wait. */
export function inTrace(traces: Traces, job: ClaimedJob, run: () => Promise<void>): Promise<void> {
  if (!traces.isOn) return run();
  const { traceparent: parent, sentAt } = job;
  const attributes = {
    [ATTRIBUTE.editId]: encodeGlobalId('EditJob', job.id),
    [ATTRIBUTE.editAttempt]: job.attemptNumber,
    [ATTRIBUTE.upstream]: job.upstream.name,
  };
  const queued = { parent, attributes, start: waitsSince(job), end: sentAt };
  traces.record('wait in queue', { kind: 'CONSUMER', ...queued });
  return traces.span('run edit', { kind: 'CONSUMER', parent, attributes }, run);
}

/** The end of the attempt before, or the submission. */
function waitsSince({ attempts, createdAt, sentAt }: ClaimedJob): Date {
  const ends = attempts.flatMap(({ finishedAt }) => (finishedAt === null ? [] : [finishedAt]));
  const last = Math.max(createdAt.getTime(), ...ends.map((end) => end.getTime()));
  return new Date(Math.min(last, sentAt.getTime()));
}
