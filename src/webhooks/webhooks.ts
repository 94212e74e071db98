import { v7 as uuid } from 'uuid';
import type { Viewer } from '../auth/viewer.ts';
import { ownedBy, ownerOf } from '../auth/visible.ts';
import type { SecretKeys } from '../config/secret-key.ts';
import type { PrismaClient, Transaction } from '../database/database.ts';
import { checkAll, InvalidInputError, NotConfiguredError } from '../errors.ts';
import type { IsAllowedHost } from '../net/allowed-hosts.ts';
import { createLists, type Lists } from '../paging/lists.ts';
import type { Queue } from '../queue/queue.ts';
import { deliveriesTo } from './deliveries.ts';
import { DELIVER_WEBHOOK } from './delivery-queue.ts';
import { checkEndpointUrl } from './endpoint-url.ts';
import { secretOf } from './signing.ts';
import type { WebhookEvent } from './webhook-event.ts';

const MAX_ENDPOINTS = 10;
const MAX_DESCRIPTION_CHARACTERS = 256;

/** How long messages are also signed with the old secret after a rotation, in milliseconds. */
const OVERLAP_MS = 24 * 60 * 60 * 1_000;

export interface WebhookInput {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly description?: string | null;
}

/** An endpoint with its secret, which is returned only once. */
export interface WebhookWithSecret {
  readonly id: string;
  readonly secret: string;
}

/**
 * The endpoints of all owners; null or false if the endpoint does not exist or is not the viewer's.
 */
export interface Webhooks {
  /** The deliveries to each endpoint, newest first. */
  deliveries(viewer: Viewer): Lists;
  /**
   * @throws InvalidInputError, also beyond the maximum number; NotConfiguredError without a secret
   *   key.
   */
  create(viewer: Viewer, input: WebhookInput): Promise<WebhookWithSecret>;
  /** Deletes the endpoint and its deliveries; one in progress may still arrive. */
  delete(viewer: Viewer, id: string): Promise<boolean>;
  /** Messages are signed with both secrets for 24 hours. @throws NotConfiguredError */
  rotateSecret(viewer: Viewer, id: string): Promise<WebhookWithSecret | null>;
  /** Sends messages to it again, from the next one on. */
  enable(viewer: Viewer, id: string): Promise<boolean>;
  /**
   * Sends a message again at once, whatever its state, with the same id and a full set of attempts.
   * @throws InvalidInputError if its endpoint is disabled.
   */
  redeliver(viewer: Viewer, deliveryId: string): Promise<boolean>;
}

export function createWebhooks(options: {
  prisma: PrismaClient;
  queue: Queue;
  secretKeys: SecretKeys | null;
  isAllowedHost: IsAllowedHost;
}): Webhooks {
  const { prisma, queue, secretKeys, isAllowedHost } = options;

  function mustHaveKeys(): SecretKeys {
    if (secretKeys !== null) return secretKeys;
    throw new NotConfiguredError(
      'Webhooks are not available because SECRET_KEY is not set. The operator must set it to at least 32 random bytes as base64 or hex, the same for all processes.',
    );
  }

  return {
    deliveries: (viewer) => createLists({ prisma, source: deliveriesTo(viewer) }),

    async create(viewer, input) {
      const ownerId = ownerOf(viewer);
      const key = mustHaveKeys().current;
      const data = {
        id: uuid(),
        ownerId,
        ...checkAll({
          url: () => checkEndpointUrl(input.url, isAllowedHost),
          events: () => checkEvents(input.events),
          description: () => checkDescription(input.description ?? null),
        }),
        secretVersion: 1,
        secretKeyId: key.id,
      };
      await prisma.$transaction(async (tx) => {
        await lockOwner(tx, ownerId);
        if ((await tx.webhookEndpoint.count({ where: ownedBy(ownerId) })) >= MAX_ENDPOINTS) {
          throw new InvalidInputError(
            'url',
            'TOO_MANY',
            `An owner may have at most ${MAX_ENDPOINTS} webhooks. Delete one first.`,
          );
        }
        await tx.webhookEndpoint.createMany({ data });
      });
      return { id: data.id, secret: secretOf(key, data) };
    },

    async delete(viewer, id) {
      const { count } = await prisma.webhookEndpoint.deleteMany({
        where: { id, ...ownedBy(ownerOf(viewer)) },
      });
      return count === 1;
    },

    rotateSecret(viewer, id) {
      const ownerId = ownerOf(viewer);
      const keys = mustHaveKeys();
      const key = keys.current;
      return prisma.$transaction(async (tx) => {
        await lockOwner(tx, ownerId);
        const old = await tx.webhookEndpoint.findFirst({ where: { id, ...ownedBy(ownerId) } });
        if (old === null) return null;
        const secretVersion = old.secretVersion + 1;
        // Without its key, the old secret can no longer be derived.
        const overlaps = keys.find(old.secretKeyId) !== undefined;
        const previousSecretUntil = overlaps ? new Date(Date.now() + OVERLAP_MS) : null;
        await tx.webhookEndpoint.updateMany({
          where: { id, ...ownedBy(ownerId) },
          data: { secretVersion, secretKeyId: key.id, previousSecretUntil },
        });
        return { id, secret: secretOf(key, { id, secretVersion }) };
      });
    },

    async enable(viewer, id) {
      const { count } = await prisma.webhookEndpoint.updateMany({
        where: { id, ...ownedBy(ownerOf(viewer)) },
        data: { disabledAt: null, disabledReason: null, failingSince: null },
      });
      return count === 1;
    },

    redeliver: (viewer, deliveryId) =>
      prisma.$transaction(async (tx) => {
        const found = await tx.webhookDelivery.findFirst({
          where: { id: deliveryId, ...ownedBy(ownerOf(viewer)) },
          select: { endpoint: { select: { disabledAt: true } } },
        });
        if (found === null) return false;
        if (found.endpoint.disabledAt !== null) {
          throw new InvalidInputError(
            'deliveryId',
            'INVALID_VALUE',
            'The webhook is disabled. Enable it first.',
          );
        }
        const [sent] = await tx.webhookDelivery.updateManyAndReturn({
          where: { id: deliveryId, ...ownedBy(ownerOf(viewer)) },
          data: {
            state: 'PENDING',
            turn: { increment: 1 },
            failures: 0,
            nextAttemptAt: new Date(),
          },
          select: { turn: true },
        });
        if (sent === undefined) return false;
        await queue.send(tx, DELIVER_WEBHOOK, { deliveryId, turn: sent.turn });
        return true;
      }),
  };
}

/** One change at a time to an owner's endpoints. */
async function lockOwner(tx: Transaction, ownerId: string): Promise<void> {
  await tx.$executeRaw`
    SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ${` webhooks ${ownerId}`}, 0))`;
}

function checkEvents(events: readonly WebhookEvent[]): WebhookEvent[] {
  if (events.length === 0) {
    throw new InvalidInputError('events', 'REQUIRED', 'events must have at least one event.');
  }
  return [...new Set(events)];
}

function checkDescription(description: string | null): string | null {
  if (description !== null && description.length > MAX_DESCRIPTION_CHARACTERS) {
    throw new InvalidInputError(
      'description',
      'TOO_LARGE',
      `description may have at most ${MAX_DESCRIPTION_CHARACTERS} characters; it has ${description.length}.`,
    );
  }
  return description;
}
