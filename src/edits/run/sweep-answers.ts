import type { Log } from '../../log.ts';
import { defineJob } from '../../queue/queue.ts';
import type { StoredAnswers } from './stored-answers.ts';

/** How often stored answers are looked through, in seconds. */
export const SWEEP_ANSWERS_EVERY_SECONDS = 60 * 60;

/** The work of removing stored answers that are too old. */
export const SWEEP_ANSWERS = defineJob<Record<string, never>>('sweep-answers', {
  retryLimit: 2,
  retryDelay: 60,
  heartbeatSeconds: 30,
  expireInSeconds: 60 * 60,
  deleteAfterSeconds: 24 * 60 * 60,
});

export function createSweepAnswers(options: { storedAnswers: StoredAnswers; log: Log }) {
  const { storedAnswers, log } = options;
  return async (_: object, signal: AbortSignal): Promise<void> => {
    const removed = await storedAnswers.sweep(signal);
    if (removed > 0) log.info({ removed }, 'removed stored responses that were too old');
  };
}
