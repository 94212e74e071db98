import { defineJob } from '../queue/queue.ts';

/**
 * The work of sending one message once. `turn` must still be the delivery's own, so that handing
 * it out again, after a process died with it, sends it again only if its end was not written down.
 * Further attempts are new entries; `retryLimit` is for a database that is away.
 */
export const DELIVER_WEBHOOK = defineJob<{ deliveryId: string; turn: number }>('deliver-webhook', {
  retryLimit: 1_000,
  // A message that waits has its entry, however long the service is off.
  retentionSeconds: 365 * 24 * 60 * 60,
  retryDelay: 5,
  heartbeatSeconds: 30,
  expireInSeconds: 10 * 60,
  deleteAfterSeconds: 60 * 60,
});
