import { visibleTo } from '../auth/visible.ts';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import { encodeGlobalId, requireId } from '../public-ids/global-id.ts';
import type { WebhookWithSecret } from '../webhooks/webhooks.ts';
import { ACTING_FOR, builder } from './builder.ts';
import { WebhookEventEnum } from './webhooks.ts';

const ONCE =
  'Signing secret (`whsec_…`), for use with any Standard Webhooks library. It is returned only once; store it like a password.';

const CreateWebhookInput = builder.inputType('CreateWebhookInput', {
  description: 'The webhook to create.',
  fields: (t) => ({
    url: t.string({
      required: true,
      description:
        'An https:// URL of a public host, at most 2,048 characters. Other hosts must be allowed by the operator of the server. Redirects are not followed.',
    }),
    events: t.field({
      type: [WebhookEventEnum],
      required: true,
      description: 'Events to send; at least one.',
    }),
    description: t.string({
      description: 'Description for the viewer’s own use; at most 256 characters.',
    }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

const DeleteWebhookInput = builder.inputType('DeleteWebhookInput', {
  description: 'The webhook to delete.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the WebhookEndpoint.' }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

const RotateWebhookSecretInput = builder.inputType('RotateWebhookSecretInput', {
  description: 'The webhook that gets a new secret.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the WebhookEndpoint.' }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

const EnableWebhookInput = builder.inputType('EnableWebhookInput', {
  description: 'The webhook to enable.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the WebhookEndpoint.' }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

const RedeliverWebhookInput = builder.inputType('RedeliverWebhookInput', {
  description: 'The delivery to send again.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the WebhookDelivery.' }),
    actingFor: t.id({ description: ACTING_FOR }),
  }),
});

const CreateWebhookPayload = builder
  .objectRef<WebhookWithSecret>('CreateWebhookPayload')
  .implement({
    description: 'The created webhook. It receives events from now on.',
    fields: (t) => ({
      webhookEndpoint: t.prismaField({
        type: 'WebhookEndpoint',
        description: 'The webhook.',
        resolve: (query, { id }, _, { prisma, viewer }) =>
          prisma.webhookEndpoint.findUniqueOrThrow({
            ...query,
            where: { id, ...visibleTo(viewer) },
          }),
      }),
      secret: t.exposeString('secret', { description: ONCE }),
    }),
  });

const RotateWebhookSecretPayload = builder
  .objectRef<WebhookWithSecret>('RotateWebhookSecretPayload')
  .implement({
    description: 'Result of a successful `rotateWebhookSecret`.',
    fields: (t) => ({
      webhookEndpoint: t.prismaField({
        type: 'WebhookEndpoint',
        description:
          'The webhook. The old secret is valid until `previousSecretUntil`; if that is null, it is no longer valid.',
        resolve: (query, { id }, _, { prisma, viewer }) =>
          prisma.webhookEndpoint.findUniqueOrThrow({
            ...query,
            where: { id, ...visibleTo(viewer) },
          }),
      }),
      secret: t.exposeString('secret', { description: ONCE }),
    }),
  });

const EnableWebhookPayload = builder.objectRef<{ id: string }>('EnableWebhookPayload').implement({
  description: 'Result of a successful `enableWebhook`.',
  fields: (t) => ({
    webhookEndpoint: t.prismaField({
      type: 'WebhookEndpoint',
      description: 'The webhook.',
      resolve: (query, { id }, _, { prisma, viewer }) =>
        prisma.webhookEndpoint.findUniqueOrThrow({ ...query, where: { id, ...visibleTo(viewer) } }),
    }),
  }),
});

const DeleteWebhookPayload = builder.objectRef<{ id: string }>('DeleteWebhookPayload').implement({
  description: 'Result of a successful `deleteWebhook`.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'Global id of the deleted WebhookEndpoint.',
      resolve: ({ id }) => encodeGlobalId('WebhookEndpoint', id),
    }),
  }),
});

const RedeliverWebhookPayload = builder
  .objectRef<{ id: string }>('RedeliverWebhookPayload')
  .implement({
    description: 'Result of a successful `redeliverWebhook`.',
    fields: (t) => ({
      webhookDelivery: t.prismaField({
        type: 'WebhookDelivery',
        description: 'The delivery in its current state.',
        resolve: (query, { id }, _, { prisma, viewer }) =>
          prisma.webhookDelivery.findUniqueOrThrow({
            ...query,
            where: { id, ...visibleTo(viewer) },
          }),
      }),
    }),
  });

builder.mutationFields((t) => ({
  createWebhook: t.field({
    type: CreateWebhookPayload,
    description: 'Creates a webhook. Each owner can have at most 10.',
    errors: {
      types: [InvalidInputError],
      directResult: true,
      union: {
        name: 'CreateWebhookResult',
        description: 'The webhook and its secret, or an error.',
      },
    },
    args: {
      input: t.arg({
        type: CreateWebhookInput,
        required: true,
        description: 'The webhook to create.',
      }),
    },
    resolve: (_, { input }, { webhooks, viewer }) => webhooks.create(viewer, input),
  }),
  deleteWebhook: t.field({
    type: DeleteWebhookPayload,
    description:
      'Deletes a webhook and its deliveries. A request that is already in progress may still arrive.',
    errors: {
      types: [NotFoundError],
      directResult: true,
      union: {
        name: 'DeleteWebhookResult',
        description: 'The id of the deleted webhook, or an error.',
      },
    },
    args: {
      input: t.arg({
        type: DeleteWebhookInput,
        required: true,
        description: 'The webhook to delete.',
      }),
    },
    resolve: async (_, { input }, { webhooks, viewer }) => {
      const id = requireId('WebhookEndpoint', input.id);
      mustBe(await webhooks.delete(viewer, id), 'WebhookEndpoint', input.id);
      return { id };
    },
  }),
  rotateWebhookSecret: t.field({
    type: RotateWebhookSecretPayload,
    description:
      'Generates a new secret for a webhook. For 24 hours, deliveries are signed with both the old and the new secret, so that the receiver can switch without rejecting any. The old secret ends at once if the server’s SECRET_KEY has changed since it was generated.',
    errors: {
      types: [NotFoundError],
      directResult: true,
      union: {
        name: 'RotateWebhookSecretResult',
        description: 'The webhook and its new secret, or an error.',
      },
    },
    args: {
      input: t.arg({
        type: RotateWebhookSecretInput,
        required: true,
        description: 'The webhook that gets a new secret.',
      }),
    },
    resolve: async (_, { input: { id } }, { webhooks, viewer }) =>
      mustBe(
        await webhooks.rotateSecret(viewer, requireId('WebhookEndpoint', id)),
        'WebhookEndpoint',
        id,
      ),
  }),
  enableWebhook: t.field({
    type: EnableWebhookPayload,
    description:
      'Enables a disabled webhook. Deliveries that failed in the meantime are not sent again automatically; use `redeliverWebhook`.',
    errors: {
      types: [NotFoundError],
      directResult: true,
      union: { name: 'EnableWebhookResult', description: 'The webhook, or an error.' },
    },
    args: {
      input: t.arg({
        type: EnableWebhookInput,
        required: true,
        description: 'The webhook to enable.',
      }),
    },
    resolve: async (_, { input }, { webhooks, viewer }) => {
      const id = requireId('WebhookEndpoint', input.id);
      mustBe(await webhooks.enable(viewer, id), 'WebhookEndpoint', input.id);
      return { id };
    },
  }),
  redeliverWebhook: t.field({
    type: RedeliverWebhookPayload,
    description:
      'Sends a delivery again now, whatever its state, with the same `webhook-id` and a new timestamp. The webhook must be enabled.',
    errors: {
      types: [NotFoundError, InvalidInputError],
      directResult: true,
      union: { name: 'RedeliverWebhookResult', description: 'The delivery, or an error.' },
    },
    args: {
      input: t.arg({
        type: RedeliverWebhookInput,
        required: true,
        description: 'The delivery to send again.',
      }),
    },
    resolve: async (_, { input }, { webhooks, viewer }) => {
      const id = requireId('WebhookDelivery', input.id);
      mustBe(await webhooks.redeliver(viewer, id), 'WebhookDelivery', input.id);
      return { id };
    },
  }),
}));

type Typename = 'WebhookEndpoint' | 'WebhookDelivery';

/** @throws NotFoundError with the id as given, unless something was found. */
function mustBe<Found>(found: Found | null | false, typename: Typename, globalId: string): Found {
  if (found === null || found === false) throw new NotFoundError(typename, globalId);
  return found;
}
