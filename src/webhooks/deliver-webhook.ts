import { ofAllOwners } from '../auth/visible.ts';
import type { SecretKeys } from '../config/secret-key.ts';
import type { Prisma, PrismaClient } from '../database/database.ts';
import type { ErrorReader } from '../edits/outcome-record.ts';
import type { Log } from '../log.ts';
import type { Queue } from '../queue/queue.ts';
import { type Metrics, NO_METRICS } from '../telemetry/metrics.ts';
import { DELIVER_WEBHOOK } from './delivery-queue.ts';
import { editMessage, type Links, MESSAGE_FIELDS } from './edit-message.ts';
import type { PostResult, PostWebhook } from './post-webhook.ts';
import { nextAttemptAt, RETRY_DELAYS_MS } from './retry-schedule.ts';
import { signedHeaders } from './signing.ts';
import { messageId } from './webhook-event.ts';

/**
 * An endpoint that has accepted nothing for this long is disabled when the next message is given
 * up.
 */
const MAX_FAILING_MS = 5 * 24 * 60 * 60 * 1_000;

const GONE = 410;

const WITH_MESSAGE = {
  endpoint: true,
  job: { select: MESSAGE_FIELDS },
  _count: { select: { attempts: true } },
} satisfies Prisma.WebhookDeliveryInclude;

type Delivery = Prisma.WebhookDeliveryGetPayload<{ include: typeof WITH_MESSAGE }>;

/**
 * Makes one attempt to deliver a message, then records it with its consequences. If the process is
 * killed in between, the message is sent again: at least once, always with the same id.
 */
export function createDeliverWebhook(options: {
  prisma: PrismaClient;
  queue: Queue;
  post: PostWebhook;
  /** Null if attempts cannot be signed; each then fails with that reason. */
  secretKeys: SecretKeys | null;
  links: Links;
  /** Who reads the messages. */
  reader: ErrorReader;
  /** @default RETRY_DELAYS_MS */
  retryDelaysMs?: readonly number[];
  /** @default off */
  metrics?: Metrics;
  log: Log;
}): (data: { deliveryId: string; turn: number }, stopping: AbortSignal) => Promise<void> {
  const {
    prisma,
    queue,
    post,
    secretKeys,
    links,
    reader,
    retryDelaysMs = RETRY_DELAYS_MS,
    metrics = NO_METRICS,
  } = options;

  return async ({ deliveryId, turn }, stopping) => {
    const delivery = await ofAllOwners(prisma).webhookDelivery.findFirst({
      where: { id: deliveryId, turn, state: 'PENDING' },
      include: WITH_MESSAGE,
    });
    if (delivery === null) return;
    const log = options.log.child({ deliveryId, endpointId: delivery.endpointId });
    if (delivery.endpoint.disabledAt !== null) {
      const lastError = 'The webhook is disabled.';
      await end(prisma, delivery, { state: 'FAILED', lastError, nextAttemptAt: null });
      metrics.increment('retouch_webhook_attempts_total', { result: 'skipped' });
      return log.info('skipped a delivery: the webhook is disabled');
    }
    const sentAt = new Date();
    const result = await send(delivery, sentAt, stopping);
    const written = await writeDown(delivery, sentAt, result);
    if (written !== null) {
      metrics.increment('retouch_webhook_attempts_total', { result: written });
    }
    const { httpStatus, error } = result;
    if (error === null) log.info({ httpStatus }, 'webhook delivered');
    else log.warn({ httpStatus, reason: error }, 'webhook delivery failed');
  };

  async function send(delivery: Delivery, at: Date, signal: AbortSignal): Promise<PostResult> {
    const { endpoint, event, job } = delivery;
    if (secretKeys === null) {
      return unsent('SECRET_KEY is not set, so the webhook cannot be signed.');
    }
    const body = editMessage(event, job, links, reader);
    const headers = signedHeaders(secretKeys, endpoint, { id: messageId(delivery.id), body, at });
    if (headers === null) {
      return unsent('The server’s SECRET_KEY has changed: rotate the webhook’s secret.');
    }
    return post(endpoint.url, { headers, body }, signal);
  }

  /** Null: another queue job has taken over. */
  async function writeDown(delivery: Delivery, sentAt: Date, result: PostResult) {
    const { httpStatus, error } = result;
    const now = new Date();
    const failures = error === null ? 0 : delivery.failures + 1;
    const again =
      error === null || httpStatus === GONE
        ? null
        : nextAttemptAt(retryDelaysMs, { ...result, failures }, now);
    const isWritten = await prisma.$transaction(async (tx) => {
      // Locks the endpoint before the delivery, as in a deletion, to avoid deadlocks.
      await noteEndpoint(tx, delivery, result, again === null, now);
      const ended = await end(tx, delivery, {
        lastHttpStatus: httpStatus,
        lastError: error,
        failures,
        nextAttemptAt: again,
        ...(error === null && { state: 'DELIVERED', deliveredAt: now }),
        ...(error !== null && again === null && { state: 'FAILED' }),
      });
      if (!ended) return false;
      await tx.webhookDeliveryAttempt.createMany({
        data: {
          deliveryId: delivery.id,
          ownerId: delivery.ownerId,
          number: delivery._count.attempts + 1,
          httpStatus,
          error,
          sentAt,
          finishedAt: now,
        },
      });
      if (again !== null) {
        const next = { deliveryId: delivery.id, turn: delivery.turn + 1 };
        await queue.send(tx, DELIVER_WEBHOOK, next, { startAfter: again });
      }
      return true;
    });
    if (!isWritten) return null;
    if (error === null) return 'delivered';
    return again === null ? 'failed' : 'retried';
  }
}

function unsent(error: string): PostResult {
  return { httpStatus: null, error, retryAfterSeconds: null };
}

/** False if another queue job has taken over, which continues from here. */
async function end(
  tx: Pick<Prisma.TransactionClient, 'webhookDelivery'>,
  { id, turn }: Delivery,
  data: Prisma.WebhookDeliveryUpdateManyMutationInput,
): Promise<boolean> {
  const { count } = await ofAllOwners(tx).webhookDelivery.updateMany({
    where: { id, turn, state: 'PENDING' },
    data: { ...data, turn: { increment: 1 } },
  });
  return count === 1;
}

/** Whether this attempt shows that the endpoint works. */
async function noteEndpoint(
  tx: Prisma.TransactionClient,
  { endpoint }: Delivery,
  { httpStatus, error }: PostResult,
  isGivenUp: boolean,
  now: Date,
): Promise<void> {
  const { id, failingSince } = endpoint;
  if (error === null) {
    if (failingSince === null) return;
    await ofAllOwners(tx).webhookEndpoint.updateMany({
      where: { id },
      data: { failingSince: null },
    });
    return;
  }
  const isFailing =
    failingSince !== null && now.getTime() - failingSince.getTime() > MAX_FAILING_MS;
  if (httpStatus === GONE || (isGivenUp && isFailing)) {
    const disabledReason = httpStatus === GONE ? 'GONE' : 'FAILING';
    await ofAllOwners(tx).webhookEndpoint.updateMany({
      where: { id, disabledAt: null },
      data: { disabledAt: now, disabledReason, failingSince: failingSince ?? now },
    });
  } else if (failingSince === null) {
    await ofAllOwners(tx).webhookEndpoint.updateMany({
      where: { id, failingSince: null },
      data: { failingSince: now },
    });
  }
}
