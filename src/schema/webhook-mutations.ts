import { InvalidInputError, NotFoundError } from '../errors.ts';
import type { WebhookWithSecret } from '../webhooks/webhooks.ts';
import { builder } from './builder.ts';
import { encodeGlobalId, requireId } from './global-id.ts';
import { WebhookEventEnum } from './webhooks.ts';

const ONCE =
  '`whsec_…`, for any Standard Webhooks library. It is shown this once: keep it like a password.';

const CreateWebhookInput = builder.inputType('CreateWebhookInput', {
  description: 'A webhook to be made.',
  fields: (t) => ({
    url: t.string({
      required: true,
      description:
        'An https:// URL of a public host, of at most 2,048 characters; other hosts only as the server’s operator allows. Redirects are not followed.',
    }),
    events: t.field({
      type: [WebhookEventEnum],
      required: true,
      description: 'What to be told; at least one.',
    }),
    description: t.string({ description: 'Your own words; at most 256 characters.' }),
  }),
});

const CreateWebhookPayload = builder
  .objectRef<WebhookWithSecret>('CreateWebhookPayload')
  .implement({
    description: 'The webhook is there: edits that end from now on are told to it.',
    fields: (t) => ({
      webhook: t.prismaField({
        type: 'WebhookEndpoint',
        description: 'The webhook.',
        resolve: (query, { id }, _, { prisma }) =>
          prisma.webhookEndpoint.findUniqueOrThrow({ ...query, where: { id } }),
      }),
      secret: t.exposeString('secret', { description: ONCE }),
    }),
  });

const RotateWebhookSecretPayload = builder
  .objectRef<WebhookWithSecret>('RotateWebhookSecretPayload')
  .implement({
    description: 'The webhook has a new secret.',
    fields: (t) => ({
      webhook: t.prismaField({
        type: 'WebhookEndpoint',
        description: 'The webhook; `previousSecretUntil` says how long the old secret is good.',
        resolve: (query, { id }, _, { prisma }) =>
          prisma.webhookEndpoint.findUniqueOrThrow({ ...query, where: { id } }),
      }),
      secret: t.exposeString('secret', { description: ONCE }),
    }),
  });

const EnableWebhookPayload = builder.objectRef<{ id: string }>('EnableWebhookPayload').implement({
  description: 'The webhook is enabled.',
  fields: (t) => ({
    webhook: t.prismaField({
      type: 'WebhookEndpoint',
      description: 'The webhook.',
      resolve: (query, { id }, _, { prisma }) =>
        prisma.webhookEndpoint.findUniqueOrThrow({ ...query, where: { id } }),
    }),
  }),
});

const DeleteWebhookPayload = builder.objectRef<{ id: string }>('DeleteWebhookPayload').implement({
  description: 'The webhook is gone.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'Its former global id.',
      resolve: ({ id }) => encodeGlobalId('WebhookEndpoint', id),
    }),
  }),
});

const RedeliverWebhookPayload = builder
  .objectRef<{ id: string }>('RedeliverWebhookPayload')
  .implement({
    description: 'The message is on its way again.',
    fields: (t) => ({
      delivery: t.prismaField({
        type: 'WebhookDelivery',
        description: 'The message as it is now.',
        resolve: (query, { id }, _, { prisma }) =>
          prisma.webhookDelivery.findUniqueOrThrow({ ...query, where: { id } }),
      }),
    }),
  });

builder.mutationFields((t) => ({
  createWebhook: t.field({
    type: CreateWebhookPayload,
    description: 'Makes a webhook; at most 10 for each viewer.',
    errors: {
      types: [InvalidInputError],
      directResult: true,
      union: { name: 'CreateWebhookResult', description: 'The webhook, or what is wrong.' },
    },
    args: {
      input: t.arg({ type: CreateWebhookInput, required: true, description: 'What to tell whom.' }),
    },
    resolve: (_, { input }, { webhooks, viewer }) => webhooks.create(viewer, input),
  }),
  deleteWebhook: t.field({
    type: DeleteWebhookPayload,
    description: 'Removes a webhook with its messages; nothing is sent to it any more.',
    errors: {
      types: [NotFoundError],
      directResult: true,
      union: { name: 'DeleteWebhookResult', description: 'What was removed, or why nothing was.' },
    },
    args: { id: t.arg.id({ required: true, description: 'Global id of the WebhookEndpoint.' }) },
    resolve: async (_, { id: globalId }, { webhooks, viewer }) => {
      const id = requireId('WebhookEndpoint', globalId);
      mustBe(await webhooks.delete(viewer, id), 'WebhookEndpoint', globalId);
      return { id };
    },
  }),
  rotateWebhookSecret: t.field({
    type: RotateWebhookSecretPayload,
    description:
      'Gives a webhook a new secret. For 24 hours messages are signed with the old one too, so that none is refused while the receiver changes over.',
    errors: {
      types: [NotFoundError],
      directResult: true,
      union: { name: 'RotateWebhookSecretResult', description: 'The new secret, or why not.' },
    },
    args: { id: t.arg.id({ required: true, description: 'Global id of the WebhookEndpoint.' }) },
    resolve: async (_, { id }, { webhooks, viewer }) =>
      mustBe(
        await webhooks.rotateSecret(viewer, requireId('WebhookEndpoint', id)),
        'WebhookEndpoint',
        id,
      ),
  }),
  enableWebhook: t.field({
    type: EnableWebhookPayload,
    description:
      'Takes up a disabled webhook again. What was given up meanwhile is sent by `redeliverWebhook` only.',
    errors: {
      types: [NotFoundError],
      directResult: true,
      union: { name: 'EnableWebhookResult', description: 'The webhook, or why not.' },
    },
    args: { id: t.arg.id({ required: true, description: 'Global id of the WebhookEndpoint.' }) },
    resolve: async (_, { id: globalId }, { webhooks, viewer }) => {
      const id = requireId('WebhookEndpoint', globalId);
      mustBe(await webhooks.enable(viewer, id), 'WebhookEndpoint', globalId);
      return { id };
    },
  }),
  redeliverWebhook: t.field({
    type: RedeliverWebhookPayload,
    description:
      'Sends a message again now, whatever became of it: under the same `webhook-id`, with a fresh timestamp.',
    errors: {
      types: [NotFoundError, InvalidInputError],
      directResult: true,
      union: { name: 'RedeliverWebhookResult', description: 'The message, or why not.' },
    },
    args: {
      deliveryId: t.arg.id({ required: true, description: 'Global id of the WebhookDelivery.' }),
    },
    resolve: async (_, { deliveryId }, { webhooks, viewer }) => {
      const id = requireId('WebhookDelivery', deliveryId);
      mustBe(await webhooks.redeliver(viewer, id), 'WebhookDelivery', deliveryId);
      return { id };
    },
  }),
}));

type Typename = 'WebhookEndpoint' | 'WebhookDelivery';

/** @throws NotFoundError for what was not found, naming it as it was asked for. */
function mustBe<Found>(found: Found | null | false, typename: Typename, globalId: string): Found {
  if (found === null || found === false) throw new NotFoundError(typename, globalId);
  return found;
}
