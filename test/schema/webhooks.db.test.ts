import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/public-ids/global-id.ts';
import { NO_DRAWING, startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { insertForeignRows } from '../support/foreign-rows.ts';
import { EDIT } from '../support/operations.ts';
import { selectionOf } from '../support/selection-of.ts';
import { png } from '../support/test-images.ts';
import { receiveWebhooks, verify, type WebhookReceiver } from '../support/webhook-receiver.ts';

const ERRORS = /* GraphQL */ `
  ... on Error { message }
  ... on InvalidInputError { field code }
  ... on NotFoundError { resource id }
`;
const CREATE = /* GraphQL */ `
  mutation Create($input: CreateWebhookInput!) {
    createWebhook(input: $input) {
      __typename
      ... on CreateWebhookPayload {
        secret
        webhookEndpoint { id url events description disabledAt disabledReason failingSince previousSecretUntil createdAt deliveries { totalCount } }
      }
      ... on Error { message }
      ... on InvalidInputError { field code }
    }
  }
`;
const LOG = /* GraphQL */ `
  {
    webhooks {
      id
      deliveries(first: 10) {
        totalCount
        edges {
          node {
            id messageId event state attemptCount httpStatus error nextAttemptAt createdAt deliveredAt
            editJob { id status }
            endpoint { id }
            attempts { number httpStatus error sentAt finishedAt }
          }
        }
      }
    }
  }
`;
const ALL = ['EDIT_SUCCEEDED', 'EDIT_FAILED', 'EDIT_CANCELED', 'EDIT_OUTCOME_UNKNOWN'];

describe.runIf(hasDatabase)('webhooks', () => {
  let app: TestApp;
  let imageId: string;
  const secretKey = randomBytes(32).toString('base64');

  async function start(env: Record<string, string> = {}) {
    app = await startTestApp(
      { WEBHOOK_ALLOWED_HOSTS: '127.0.0.1', SECRET_KEY: secretKey, ...env },
      NO_DRAWING,
    );
    const { data } = await app.upload(
      'mutation($f: Upload!) { uploadImage(input: { file: $f }) { ... on UploadImagePayload { image { id } } } }',
      { f: null },
      { f: await png() },
    );
    imageId = data.uploadImage.image.id;
  }
  afterEach(() => app.stop());

  const run = async (query: string, variables: object = {}) =>
    (await app.query(query, variables)).data;
  const create = async (input: object) => {
    const answer = await app.query(CREATE, { input: { events: ALL, ...input } });
    return answer.data?.createWebhook ?? answer;
  };
  const edit = async (input: object = {}) =>
    (await run(EDIT, { input: { images: [{ id: imageId }], prompt: 'canary-prompt', ...input } }))
      .editImage.editJob;
  const messages = (receiver: WebhookReceiver, count: number) =>
    eventually(() => {
      expect(receiver.received).toHaveLength(count);
      return receiver.received.map(({ body }) => JSON.parse(body));
    });

  describe('of a running service', () => {
    beforeEach(() => start());

    test('are told of each way in which an edit ends', async () => {
      const receiver = await receiveWebhooks();
      const { secret, webhookEndpoint } = await create({ url: receiver.url, description: 'mine' });
      expect(webhookEndpoint).toMatchObject({
        url: `${receiver.url}/`,
        events: ALL,
        description: 'mine',
        disabledAt: null,
        disabledReason: null,
        failingSince: null,
        previousSecretUntil: null,
        deliveries: { totalCount: 0 },
      });

      const done = await edit({ metadata: { order: 7 } });
      const [succeeded] = await messages(receiver, 1);
      for (const message of receiver.received) verify(message, secret);
      expect(succeeded).toEqual({
        type: 'edit.succeeded',
        timestamp: done.finishedAt,
        data: {
          editJob: {
            id: done.id,
            owner: { id: 'local' },
            status: 'SUCCEEDED',
            model: done.model,
            createdAt: done.createdAt,
            finishedAt: done.finishedAt,
            metadata: { order: 7 },
            outputImages: done.outputImages.map(({ id, url }: { id: string; url: string }) => ({
              id,
              url,
            })),
            usage: done.usage,
            error: null,
          },
        },
      });
      const told = succeeded.data.editJob;
      const { editJob } = await run(
        `query ($id: ID!) { editJob(id: $id) ${selectionOf([told])} }`,
        { id: done.id },
      );
      expect(told).toMatchObject(editJob);
      expect((await fetch(told.outputImages[0].url)).status).toBe(200);

      app.sandbox.faults.push({ kind: 'status', status: 503 });
      await edit();
      app.sandbox.faults.push({ kind: 'reset' });
      await edit();
      app.sandbox.faults.push({ kind: 'hang' });
      const hanging = await edit({ wait: 0 });
      await eventually(() => expect(app.sandbox.stats().requests).toBe(4));
      await run('mutation($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }', {
        id: hanging.id,
      });
      const [, ...others] = await messages(receiver, 4);
      expect(
        others
          .map(({ type, data: { editJob } }) => [type, editJob.status, editJob.error.code])
          .toSorted(),
      ).toEqual([
        ['edit.canceled', 'CANCELED', 'CANCELED'],
        ['edit.failed', 'FAILED', 'SERVER_ERROR'],
        ['edit.outcome_unknown', 'OUTCOME_UNKNOWN', 'CONNECTION_LOST'],
      ]);
      expect(receiver.received.map(({ body }) => body).join()).not.toContain('canary-prompt');
    });

    test('show in their log what was sent, and send it again on request', async () => {
      const receiver = await receiveWebhooks();
      receiver.answers.push(500);
      await create({ url: receiver.url });
      const job = await edit();
      const log = () =>
        eventually(async () => {
          const [webhook] = (await run(LOG)).webhooks;
          const { node } = webhook.deliveries.edges[0];
          expect(node.attemptCount).toBe(receiver.received.length);
          expect(node.attemptCount).toBeGreaterThan(0);
          return { webhook, node };
        });
      const { webhook, node } = await log();
      expect(webhook.deliveries.totalCount).toBe(1);
      expect(node).toMatchObject({
        messageId: receiver.received[0]?.headers['webhook-id'],
        event: 'EDIT_SUCCEEDED',
        state: 'PENDING',
        httpStatus: 500,
        error: 'Answered 500.',
        deliveredAt: null,
        nextAttemptAt: expect.any(String),
        editJob: { id: job.id, status: 'SUCCEEDED' },
        endpoint: { id: webhook.id },
        attempts: [{ number: 1, httpStatus: 500, error: 'Answered 500.' }],
      });

      const redelivered = await run(
        `mutation($id: ID!) { redeliverWebhook(input: { id: $id }) { ... on RedeliverWebhookPayload { webhookDelivery { id } } ${ERRORS} } }`,
        { id: node.id },
      );
      expect(redelivered.redeliverWebhook.webhookDelivery.id).toBe(node.id);
      await messages(receiver, 2);
      const again = await log();
      expect(again.node).toMatchObject({ state: 'DELIVERED', error: null, nextAttemptAt: null });
      const found = await run('query($id: ID!) { node(id: $id) { __typename id } }', {
        id: node.id,
      });
      expect(found.node).toEqual({ __typename: 'WebhookDelivery', id: node.id });
    });

    test('have a secret that is shown once, and another after a rotation', async () => {
      const { secret, webhookEndpoint } = await create({ url: 'https://hooks.example/' });
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      const { rotateWebhookSecret } = await run(
        `mutation($id: ID!) { rotateWebhookSecret(input: { id: $id }) { ... on RotateWebhookSecretPayload { secret webhookEndpoint { previousSecretUntil } } ${'... on Error { message }'} } }`,
        { id: webhookEndpoint.id },
      );
      expect(rotateWebhookSecret.secret).not.toBe(secret);
      const untilMs =
        Date.parse(rotateWebhookSecret.webhookEndpoint.previousSecretUntil) - Date.now();
      expect(untilMs).toBeGreaterThan(23 * 60 * 60 * 1_000);
      const logged = app.logged.join('\n');
      for (const hidden of [secret, rotateWebhookSecret.secret, secretKey]) {
        expect(logged).not.toContain(hidden);
        expect(logged).not.toContain(hidden.replace('whsec_', ''));
      }
    });

    test.each([
      ['a URL that is none', { url: 'nonsense' }, 'url', 'INVALID_VALUE'],
      ['plain http to a public host', { url: 'http://hooks.example/' }, 'url', 'UNSUPPORTED_VALUE'],
      ['an inner address', { url: 'https://169.254.169.254/' }, 'url', 'UNSUPPORTED_VALUE'],
      ['no events', { url: 'https://hooks.example/', events: [] }, 'events', 'REQUIRED'],
      [
        'a long description',
        { url: 'https://hooks.example/', description: 'x'.repeat(257) },
        'description',
        'TOO_LARGE',
      ],
    ])('refuse %s, by the field’s name', async (_, input, field, code) => {
      expect(await create(input)).toMatchObject({ __typename: 'InvalidInputError', field, code });
      expect((await run('{ webhooks { id } }')).webhooks).toEqual([]);
    });

    test('are at most ten, also when they are made at once', async () => {
      const url = 'https://hooks.example/';
      const answers = await Promise.all(Array.from({ length: 12 }, () => create({ url })));
      const refused = answers.filter(({ __typename }) => __typename !== 'CreateWebhookPayload');
      expect(refused).toMatchObject([{ code: 'TOO_MANY' }, { code: 'TOO_MANY' }]);
      const { webhooks } = await run('{ webhooks { id } }');
      expect(webhooks).toHaveLength(10);
      const { deleteWebhook } = await run(
        'mutation($id: ID!) { deleteWebhook(input: { id: $id }) { ... on DeleteWebhookPayload { deletedId } ... on Error { message } } }',
        { id: webhooks[0].id },
      );
      expect(deleteWebhook.deletedId).toBe(webhooks[0].id);
      expect((await create({ url })).__typename).toBe('CreateWebhookPayload');
    });

    test('of somebody else are not there, whatever is asked of them', async () => {
      const theirs = await insertForeignRows(app);
      const jobId = Buffer.from(theirs.job, 'base64url').toString().split(':')[1] ?? '';
      const { endpointId, deliveryId } = await app.withDatabase(async (prisma) => {
        const endpoint = await prisma.webhookEndpoint.create({
          data: {
            ownerId: 'somebody-else',
            url: 'https://theirs.example/',
            events: ['EDIT_FAILED'],
            secretKeyId: 'k',
          },
        });
        const delivery = await prisma.webhookDelivery.create({
          data: { ownerId: endpoint.ownerId, endpointId: endpoint.id, jobId, event: 'EDIT_FAILED' },
        });
        return {
          endpointId: encodeGlobalId('WebhookEndpoint', endpoint.id),
          deliveryId: encodeGlobalId('WebhookDelivery', delivery.id),
        };
      });
      expect((await run('{ webhooks { id } }')).webhooks).toEqual([]);
      for (const id of [endpointId, deliveryId]) {
        expect((await run('query($id: ID!) { node(id: $id) { id } }', { id })).node).toBeNull();
      }
      const nothing = 'nonsense';
      for (const id of [endpointId, deliveryId, nothing]) {
        for (const name of ['deleteWebhook', 'rotateWebhookSecret', 'enableWebhook']) {
          const answer = await run(
            `mutation($id: ID!) { ${name}(input: { id: $id }) { ... on NotFoundError { resource id } } }`,
            { id },
          );
          expect(answer[name]).toEqual({ resource: 'WebhookEndpoint', id });
        }
        const { redeliverWebhook } = await run(
          'mutation($id: ID!) { redeliverWebhook(input: { id: $id }) { ... on NotFoundError { resource id } } }',
          { id },
        );
        expect(redeliverWebhook).toEqual({ resource: 'WebhookDelivery', id });
      }
    });
  });

  test('are told after a restart what a stopped process had left unsent, under the same id', async () => {
    await start({ SHUTDOWN_GRACE_SECONDS: '0' });
    const receiver = await receiveWebhooks();
    receiver.answers.push(() => {});
    const { secret } = await create({ url: receiver.url });
    await edit();
    await messages(receiver, 1);
    await app.restart();
    await messages(receiver, 2);
    const [one, two] = receiver.received;
    if (!one || !two) throw new Error('not sent twice');
    expect(two.headers['webhook-id']).toBe(one.headers['webhook-id']);
    expect(verify(two, secret).type).toBe('edit.succeeded');
  });

  test('need a secret key: a server database has none by itself, an embedded one keeps its own', async () => {
    await start({ SECRET_KEY: '' });
    const answer = await create({ url: 'https://hooks.example/' });
    const keyFile = (await filesIn(app.dir)).find((file) => file.endsWith('secret.key'));
    if (keyFile === undefined) {
      expect(answer.errors[0]).toMatchObject({
        message: expect.stringContaining('SECRET_KEY'),
        extensions: { code: 'NOT_CONFIGURED' },
      });
    } else {
      expect(answer.secret).toMatch(/^whsec_/);
      expect(app.logged.join('\n')).not.toContain((await readFile(keyFile, 'utf8')).trim());
    }
  });
});
