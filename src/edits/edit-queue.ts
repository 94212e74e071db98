import { defineJob } from '../queue/queue.ts';

/**
 * Runs one edit. The queue may hand this queue job out again after a process has crashed. That is
 * safe: only an edit that is still QUEUED is claimed, in the transaction that inserts the attempt. So
 * no retry of the queue repeats a POST.
 */
export const RUN_EDIT = defineJob<{ jobId: string }>('run-edit', {
  // Never fails for good: an edit that is queued always has a queue job.
  retryLimit: 1_000_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 10,
  retentionSeconds: 365 * 24 * 60 * 60,
  heartbeatSeconds: 30,
  // Longer than any EDIT_TIMEOUT_SECONDS, so that a running edit never expires.
  expireInSeconds: 2 * 60 * 60,
  deleteAfterSeconds: 60 * 60,
});

/** Orders queue jobs by turn: see Backlog. */
export const inTurn = (turn: number): { priority: number } => ({ priority: -turn });
