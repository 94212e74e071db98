import { defineJob } from '../queue/queue.ts';

/**
 * Queue job that sends one message once. `turn` must still be the delivery's own: a job that is
 * delivered again, after its process ended, sends the message only if the attempt was not recorded.
 * Each retry is a new job; `retryLimit` is for an unavailable database.
 */
export const DELIVER_WEBHOOK = defineJob<{ deliveryId: string; turn: number }>('deliver-webhook', {
  retryLimit: 1_000,
  // A waiting message keeps its queue job, however long the service is down.
  retentionSeconds: 365 * 24 * 60 * 60,
  retryDelay: 5,
  heartbeatSeconds: 30,
  expireInSeconds: 10 * 60,
  deleteAfterSeconds: 60 * 60,
});
