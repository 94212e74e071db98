import { defineJob } from '../../queue/queue.ts';
import type { Responses } from './responses.ts';

export const DELETE_OLD_RESPONSES_EVERY_SECONDS = 60 * 60;

/** Deletes what no repeated request can find any more. */
export const DELETE_OLD_RESPONSES = defineJob<Record<string, never>>('delete-old-responses', {
  retryLimit: 2,
  retryDelay: 60,
  heartbeatSeconds: 30,
  expireInSeconds: 60 * 60,
  deleteAfterSeconds: 24 * 60 * 60,
});

export function createDeleteOldResponses({ responses }: { responses: Responses }) {
  return (): Promise<void> => responses.deleteOld();
}
