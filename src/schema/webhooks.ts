import { asOwner } from '../auth/viewer.ts';
import { visibleTo } from '../auth/visible.ts';
import { messageId } from '../webhooks/webhook-event.ts';
import { builder } from './builder.ts';
import { listConnection } from './connections.ts';

export const WebhookEventEnum = builder.enumType('WebhookEvent', {
  description: 'Event that a webhook can receive.',
  values: {
    EDIT_SUCCEEDED: { description: '`edit.succeeded`: the output images are stored.' },
    EDIT_FAILED: { description: '`edit.failed`: the edit failed and has no output images.' },
    EDIT_CANCELED: { description: '`edit.canceled`: the edit was canceled.' },
    EDIT_OUTCOME_UNKNOWN: {
      description:
        '`edit.outcome_unknown`: no usable response arrived; the edit may have been billed.',
    },
  },
});

const WebhookDisabledReason = builder.enumType('WebhookDisabledReason', {
  description: 'The reason why a webhook was disabled.',
  values: {
    GONE: { description: 'The endpoint returned 410 Gone.' },
    FAILING: { description: 'No attempt succeeded for five days.' },
  },
});

const WebhookDeliveryState = builder.enumType('WebhookDeliveryState', {
  description: 'State of a delivery.',
  values: {
    PENDING: { description: 'The delivery is being sent or waits until `nextAttemptAt`.' },
    DELIVERED: { description: 'The endpoint returned a 2xx response.' },
    FAILED: {
      description:
        'The delivery failed and is not retried automatically. Use `redeliverWebhook` to send it again.',
    },
  },
});

builder.prismaObject('WebhookDeliveryAttempt', {
  description: 'One POST request of a delivery.',
  fields: (t) => ({
    number: t.exposeInt('number', {
      description: 'Sequence number, starting at 1 and continuing across redeliveries.',
    }),
    httpStatus: t.exposeInt('httpStatus', {
      nullable: true,
      description: 'HTTP status of the response. Null if no response arrived.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Human-readable reason for the failure. Null if the attempt succeeded.',
    }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      description:
        'When the request was sent. The header `webhook-timestamp` is this time in seconds.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      description: 'When the response arrived or the attempt failed.',
    }),
  }),
});

const WebhookDelivery = builder.prismaNode('WebhookDelivery', {
  description:
    'One event for one webhook, delivered at least once: it is retried until the endpoint accepts it or the retries are exhausted, always with the same `webhook-id`.',
  id: { field: 'id', description: 'Global id.' },
  findUnique: (id, { viewer }) => ({ id, ...visibleTo(viewer) }),
  fields: (t) => ({
    messageId: t.string({
      description:
        'Value of the header `webhook-id`, the same for every attempt. Receivers use it to detect duplicates.',
      select: { id: true },
      resolve: ({ id }) => messageId(id),
    }),
    event: t.expose('event', { type: WebhookEventEnum, description: 'The event.' }),
    state: t.expose('state', { type: WebhookDeliveryState, description: 'Current state.' }),
    endpoint: t.relation('endpoint', { description: 'The webhook that receives the delivery.' }),
    editJob: t.relation('job', { description: 'The edit that the event is about.' }),
    attemptCount: t.relationCount('attempts', { description: 'Number of attempts.' }),
    attempts: t.relation('attempts', {
      description: 'The attempts, in order.',
      query: { orderBy: { number: 'asc' } },
    }),
    httpStatus: t.exposeInt('lastHttpStatus', {
      nullable: true,
      description: 'HTTP status of the last attempt. Null if it got no response.',
    }),
    error: t.exposeString('lastError', {
      nullable: true,
      description:
        'Human-readable reason for the last failure. Null if the last attempt succeeded.',
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the next attempt is due. Null unless the delivery is PENDING.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the delivery was created: in the transaction that ended the edit.',
    }),
    deliveredAt: t.expose('deliveredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the endpoint last accepted the delivery. Null if it never did.',
    }),
  }),
});

builder.prismaNode('WebhookEndpoint', {
  description:
    'A webhook: an endpoint that receives signed events (https://www.standardwebhooks.com) when the viewer’s edits end. The request body is `{ type, timestamp, data: { editJob } }` with the fields `id`, `owner { id }`, `status`, `model`, `createdAt`, `finishedAt`, `metadata`, `outputImages { id url }`, `usage` and `error { code message }`.',
  id: { field: 'id', description: 'Global id.' },
  findUnique: (id, { viewer }) => ({ id, ...visibleTo(viewer) }),
  fields: (t) => ({
    url: t.exposeString('url', { description: 'URL that events are POSTed to.' }),
    events: t.expose('events', {
      type: [WebhookEventEnum],
      description: 'Events that the webhook receives.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'Description given by the viewer. Null if none was given.',
    }),
    disabledAt: t.expose('disabledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the webhook was disabled. Null while it is enabled.',
    }),
    disabledReason: t.expose('disabledReason', {
      type: WebhookDisabledReason,
      nullable: true,
      description: 'The reason why the webhook was disabled. Null while it is enabled.',
    }),
    failingSince: t.expose('failingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Start of the current series of failed attempts. Null while attempts succeed.',
    }),
    previousSecretUntil: t.expose('previousSecretUntil', {
      type: 'DateTime',
      nullable: true,
      description:
        'Until this time, deliveries are also signed with the previous secret. Null if there is no previous secret.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the webhook was created.',
    }),
    deliveries: t.connection(
      {
        type: WebhookDelivery,
        description:
          'The deliveries to this webhook, newest first. The page size is 20 by default and at most 100.',
        select: { id: true },
        resolve: ({ id }, args, context, info) =>
          listConnection('WebhookDelivery', context.loaders.deliveries, id, args, context, info),
      },
      { name: 'WebhookDeliveryConnection', description: 'A page of deliveries.' },
      { name: 'WebhookDeliveryEdge', description: 'A delivery in a page.' },
    ),
  }),
});

builder.queryField('webhooks', (t) =>
  t.prismaField({
    type: ['WebhookEndpoint'],
    description: 'The viewer’s webhooks, oldest first; at most 10.',
    resolve: (query, _, __, { prisma, viewer }) =>
      prisma.webhookEndpoint.findMany({
        ...query,
        where: visibleTo(asOwner(viewer)),
        orderBy: { id: 'asc' },
      }),
  }),
);
