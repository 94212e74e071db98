import { v7 as uuid } from 'uuid';
import { ownedRows } from '../auth/visible.ts';
import type { InsertForEnd } from '../edits/end/end-edit.ts';
import type { Queue } from '../queue/queue.ts';
import { DELIVER_WEBHOOK } from './delivery-queue.ts';
import { EVENT_OF_STATUS } from './webhook-event.ts';

/**
 * Inserts and enqueues a delivery for each of the owner's endpoints that wants the event, in the
 * transaction that ends the edit. One query by index for an owner without endpoints.
 */
export function createInsertDeliveries({ queue }: { queue: Queue }): InsertForEnd {
  return async (tx, { jobId, ownerId, status }) => {
    const event = EVENT_OF_STATUS[status];
    // Locked against deletion only, so that the rows below can refer to their endpoint.
    const endpoints = await tx.$queryRaw<{ id: string; pending: number }[]>`
      SELECT endpoint.id, (
        SELECT count(*)::int FROM (
          SELECT FROM "WebhookDelivery" AS delivery
          WHERE delivery."endpointId" = endpoint.id AND delivery.state = 'PENDING'
          LIMIT 10000
        ) AS waiting
      ) AS pending
      FROM "WebhookEndpoint" AS endpoint
      WHERE ${ownedRows(ownerId, 'endpoint')} AND endpoint."disabledAt" IS NULL
        AND ${event}::"WebhookEvent" = ANY (endpoint.events)
      ORDER BY endpoint.id
      FOR KEY SHARE OF endpoint`;
    if (endpoints.length === 0) return;
    const deliveries = endpoints.map(({ id, pending }) => ({
      id: uuid(),
      endpointId: id,
      pending,
    }));
    const nextAttemptAt = new Date();
    await tx.webhookDelivery.createMany({
      data: deliveries.map(({ id, endpointId }) => ({
        id,
        ownerId,
        endpointId,
        jobId,
        event,
        nextAttemptAt,
      })),
    });
    for (const { id, pending } of deliveries) {
      // Endpoints take turns: the backlog of an unreachable one does not delay the others.
      await queue.send(tx, DELIVER_WEBHOOK, { deliveryId: id, turn: 0 }, { priority: -pending });
    }
  };
}
