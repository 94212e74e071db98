import { defineJob } from '../queue/queue.ts';

/**
 * The work of running one edit job. The queue may hand it out again when a process died with it:
 * that is safe, since only a job that is still QUEUED is claimed, in the transaction that notes the
 * attempt. So no queue retry ever repeats a POST.
 */
export const RUN_EDIT = defineJob<{ jobId: string }>('run-edit', {
  // An entry is never given up: a job that waits always has one.
  retryLimit: 1_000_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 10,
  retentionSeconds: 365 * 24 * 60 * 60,
  heartbeatSeconds: 30,
  // Longer than any EDIT_TIMEOUT_SECONDS, so that the queue never gives a running edit up.
  expireInSeconds: 2 * 60 * 60,
  deleteAfterSeconds: 60 * 60,
});

/** Where in the queue a job of that turn stands: see Backlog. */
export const inTurn = (turn: number): { priority: number } => ({ priority: -turn });
