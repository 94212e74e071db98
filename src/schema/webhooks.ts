import { messageId } from '../webhooks/webhook-event.ts';
import { builder } from './builder.ts';

export const WebhookEventEnum = builder.enumType('WebhookEvent', {
  description: 'What a webhook can be told of.',
  values: {
    EDIT_SUCCEEDED: { description: '`edit.succeeded`: the pictures are stored.' },
    EDIT_FAILED: { description: '`edit.failed`: no pictures, and surely none to come.' },
    EDIT_CANCELED: { description: '`edit.canceled`: stopped on request.' },
    EDIT_OUTCOME_UNKNOWN: {
      description: '`edit.outcome_unknown`: no usable answer came; it may have been paid.',
    },
  },
});

const WebhookDisabledReason = builder.enumType('WebhookDisabledReason', {
  description: 'Why nothing is sent to a webhook any more.',
  values: {
    GONE: { description: 'It answered 410.' },
    FAILING: { description: 'It has taken nothing for five days.' },
  },
});

const WebhookDeliveryState = builder.enumType('WebhookDeliveryState', {
  description: 'Where a message to a webhook stands.',
  values: {
    PENDING: { description: 'It is being sent, or waits for `nextAttemptAt`.' },
    DELIVERED: { description: 'It was taken: answered with a status from 200 to 299.' },
    FAILED: { description: 'It is given up; `redeliverWebhook` sends it again.' },
  },
});

builder.prismaObject('WebhookDeliveryAttempt', {
  description: 'One POST of a message.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'From 1, over all redeliveries.' }),
    httpStatus: t.exposeInt('httpStatus', {
      nullable: true,
      description: 'HTTP status of the answer; null when none came.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why it was not taken, for people; null when it was.',
    }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      description: 'When it was sent; to the second its `webhook-timestamp`.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      description: 'When the answer, or the failure, was there.',
    }),
  }),
});

builder.prismaNode('WebhookDelivery', {
  description:
    'A message for a webhook, sent until it is taken: at least once, and always under the same `webhook-id`.',
  id: { field: 'id', description: 'Global id.' },
  findUnique: (id, { viewer }) => ({ id, endpoint: { ownerId: viewer.ownerId } }),
  fields: (t) => ({
    messageId: t.string({
      description:
        'The header `webhook-id`, the same each time: by it a receiver notices what it has already.',
      select: { id: true },
      resolve: ({ id }) => messageId(id),
    }),
    event: t.expose('event', { type: WebhookEventEnum, description: 'What it tells.' }),
    state: t.expose('state', { type: WebhookDeliveryState, description: 'Where it stands.' }),
    endpoint: t.relation('endpoint', { description: 'Where it goes.' }),
    editJob: t.relation('job', { description: 'The edit that it tells of.' }),
    attemptCount: t.relationCount('attempts', { description: 'How often it was sent.' }),
    attempts: t.relation('attempts', {
      description: 'How it was sent, in order.',
      query: { orderBy: { number: 'asc' } },
    }),
    httpStatus: t.exposeInt('lastHttpStatus', {
      nullable: true,
      description: 'HTTP status of the last answer; null when none came.',
    }),
    error: t.exposeString('lastError', {
      nullable: true,
      description: 'Why it was not taken the last time, for people.',
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is sent (again), while PENDING.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the edit ended: both are written down together.',
    }),
    deliveredAt: t.expose('deliveredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was taken last.',
    }),
  }),
});

builder.prismaNode('WebhookEndpoint', {
  description:
    'A URL that is told how the viewer’s edits end, by signed messages (https://www.standardwebhooks.com). Their body is `{ type, timestamp, data: { editJob } }` with the fields `id`, `status`, `model`, `createdAt`, `finishedAt`, `metadata`, `outputImages { id url }`, `usage` and `error { code message }`.',
  id: { field: 'id', description: 'Global id.' },
  findUnique: (id, { viewer }) => ({ id, ownerId: viewer.ownerId }),
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Where messages are POSTed.' }),
    events: t.expose('events', { type: [WebhookEventEnum], description: 'What it is told.' }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'The viewer’s own words.',
    }),
    disabledAt: t.expose('disabledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when nothing is sent to it; null while it is enabled.',
    }),
    disabledReason: t.expose('disabledReason', {
      type: WebhookDisabledReason,
      nullable: true,
      description: 'Why nothing is sent to it.',
    }),
    failingSince: t.expose('failingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when no attempt has succeeded; null when the last one did.',
    }),
    previousSecretUntil: t.expose('previousSecretUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Until then messages are signed with the secret before the last rotation, too.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    deliveries: t.relatedConnection(
      'deliveries',
      {
        cursor: 'id',
        totalCount: true,
        description: 'Its messages, newest first; pages of 20, at most 100.',
        query: { orderBy: { id: 'desc' } },
      },
      { name: 'WebhookDeliveryConnection', description: 'A page of messages.' },
      { name: 'WebhookDeliveryEdge', description: 'A message in a page.' },
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
        where: { ownerId: viewer.ownerId },
        orderBy: { id: 'asc' },
      }),
  }),
);
