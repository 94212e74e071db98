import { randomBytes } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { viewerOf } from '../../src/auth/visible.ts';
import { createSecretKey, createSecretKeys } from '../../src/config/secret-key.ts';
import { secretOf } from '../../src/webhooks/signing.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { JOB_TABLE } from '../support/sql-client.ts';
import { type Received, receiveWebhooks, verify } from '../support/webhook-receiver.ts';
import { MINUTE_MS, startWebhooks, VIEWER } from './support.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;

function first<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error('there is none');
  return item;
}

describe.runIf(hasDatabase)('a webhook', () => {
  test('gets a message that the official verifier accepts, and nothing but the genuine one', async () => {
    const receiver = await receiveWebhooks();
    const hooks = await startWebhooks();
    const { secret } = await hooks.createWebhook(receiver.url);
    hooks.work();
    const jobId = await hooks.endEdit();
    await eventually(() => expect(receiver.received).toHaveLength(1));

    const genuine = first(receiver.received);
    const job = await hooks.prisma.editJob.findUniqueOrThrow({ where: { id: jobId } });
    expect(verify(genuine, secret)).toEqual({
      type: 'edit.succeeded',
      timestamp: job.finishedAt?.toISOString(),
      data: {
        editJob: {
          id: `EditJob:${jobId}`,
          owner: { id: 'me' },
          status: 'SUCCEEDED',
          model: 'm',
          createdAt: job.createdAt.toISOString(),
          finishedAt: job.finishedAt?.toISOString(),
          metadata: {},
          outputImages: [],
          usage: null,
          error: null,
        },
      },
    });
    expect(genuine.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': expect.stringMatching(/^msg_[0-9a-f]{32}$/),
    });
    const timestamp = Number(genuine.headers['webhook-timestamp']);
    const changed: Received[] = [
      { ...genuine, body: genuine.body.replace('SUCCEEDED', 'FAILED') },
      { ...genuine, headers: { ...genuine.headers, 'webhook-id': `msg_${'0'.repeat(32)}` } },
      { ...genuine, headers: { ...genuine.headers, 'webhook-timestamp': String(timestamp + 1) } },
    ];
    for (const message of changed) expect(() => verify(message, secret)).toThrow('No matching');
    const other = `whsec_${randomBytes(32).toString('base64')}`;
    expect(() => verify(genuine, other)).toThrow('No matching');
  });

  test('is told of an end when, and only if, its transaction commits', async () => {
    const receiver = await receiveWebhooks();
    const hooks = await startWebhooks();
    await hooks.createWebhook(receiver.url);
    hooks.work();
    const rolledBack = hooks.endEdit('SUCCEEDED', () => {
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    const jobId = await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).state).toBe('DELIVERED'));
    expect(await hooks.prisma.webhookDelivery.count()).toBe(1);
    expect(receiver.received.map(({ body }) => JSON.parse(body).data.editJob.id)).toEqual([
      `EditJob:${jobId}`,
    ]);
  });

  test('is told only what it asked for, and nothing of another owner', async () => {
    const receiver = await receiveWebhooks();
    const hooks = await startWebhooks();
    await hooks.createWebhook(receiver.url, ['EDIT_FAILED']);
    await hooks.webhooks.create(viewerOf('another'), {
      url: receiver.url,
      events: ['EDIT_SUCCEEDED', 'EDIT_FAILED'],
    });
    await hooks.endEdit('SUCCEEDED');
    expect(await hooks.prisma.webhookDelivery.count()).toBe(0);
    await hooks.endEdit('FAILED');
    expect(await hooks.prisma.webhookDelivery.count()).toBe(1);
  });

  test('that answers 500 gets the message again, under the same id with a fresh timestamp', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push(500);
    const hooks = await startWebhooks({ retryDelaysMs: [1_000] });
    const { secret } = await hooks.createWebhook(receiver.url);
    hooks.work();
    await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).state).toBe('DELIVERED'));

    const [one, two] = receiver.received;
    if (!one || !two) throw new Error('not sent twice');
    expect(two.headers['webhook-id']).toBe(one.headers['webhook-id']);
    expect(two.body).toBe(one.body);
    expect(Number(two.headers['webhook-timestamp'])).toBeGreaterThan(
      Number(one.headers['webhook-timestamp']),
    );
    verify(two, secret);
    expect(await hooks.delivery()).toMatchObject({
      lastHttpStatus: 204,
      lastError: null,
      nextAttemptAt: null,
      attempts: [
        { number: 1, httpStatus: 500, error: 'Answered 500.' },
        { number: 2, httpStatus: 204, error: null },
      ],
      endpoint: { failingSince: null },
    });
  });

  test('that asks for time with Retry-After gets it', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push((res) => res.writeHead(503, { 'retry-after': '3600' }).end());
    const hooks = await startWebhooks({ retryDelaysMs: [1] });
    await hooks.createWebhook(receiver.url);
    hooks.work();
    await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).attempts).toHaveLength(1));
    const { state, nextAttemptAt, attempts } = await hooks.delivery();
    expect(state).toBe('PENDING');
    const waitMs = (nextAttemptAt?.getTime() ?? 0) - first(attempts).finishedAt.getTime();
    expect(waitMs).toBeGreaterThanOrEqual(60 * MINUTE_MS);
  });

  test('is given up after the last try, and told again on request under the same id', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push(500, 500);
    const hooks = await startWebhooks({ retryDelaysMs: [1] });
    await hooks.createWebhook(receiver.url);
    hooks.work();
    await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).state).toBe('FAILED'));
    const { id, endpoint } = await hooks.delivery();
    expect(endpoint).toMatchObject({ failingSince: expect.any(Date), disabledAt: null });

    expect(await hooks.webhooks.redeliver(viewerOf('another'), id)).toBe(false);
    expect(await hooks.webhooks.redeliver(VIEWER, id)).toBe(true);
    await eventually(async () => expect((await hooks.delivery()).state).toBe('DELIVERED'));
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect((await hooks.delivery()).attempts.map(({ number }) => number)).toEqual([1, 2, 3]);
  });

  test('that waits for its next try is told at once on request, and not once more after it', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push(500, 500);
    const hooks = await startWebhooks();
    await hooks.createWebhook(receiver.url);
    await hooks.endEdit();
    const { id: deliveryId } = await hooks.delivery();
    const signal = new AbortController().signal;
    await hooks.deliver({ deliveryId, turn: 0 }, signal);
    const { turn: ofRetry } = await hooks.delivery();
    await hooks.webhooks.redeliver(VIEWER, deliveryId);
    const { turn } = await hooks.delivery();
    // Both entries are in the queue; it hands out the old one first.
    await hooks.deliver({ deliveryId, turn: ofRetry }, signal);
    expect(receiver.received).toHaveLength(1);
    await hooks.deliver({ deliveryId, turn }, signal);
    expect(receiver.received).toHaveLength(2);
    await hooks.deliver({ deliveryId, turn: ofRetry }, signal);
    expect(receiver.received).toHaveLength(2);
    expect(await hooks.delivery()).toMatchObject({ state: 'PENDING', failures: 1 });
  });

  test('that answers 410 is disabled, gets nothing more, and can be enabled again', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push(410);
    const hooks = await startWebhooks({ retryDelaysMs: [1, 1, 1] });
    const { id } = await hooks.createWebhook(receiver.url);
    await hooks.endEdit();
    const signal = new AbortController().signal;
    const gone = await hooks.delivery();
    await hooks.endEdit();
    const behind = await hooks.delivery();
    await hooks.deliver({ deliveryId: gone.id, turn: 0 }, signal);
    expect(await hooks.prisma.webhookDelivery.findUnique({ where: { id: gone.id } })).toMatchObject(
      {
        state: 'FAILED',
        lastHttpStatus: 410,
        nextAttemptAt: null,
      },
    );
    await hooks.deliver({ deliveryId: behind.id, turn: 0 }, signal);
    expect(await hooks.delivery()).toMatchObject({
      id: behind.id,
      state: 'FAILED',
      lastError: 'The webhook is disabled.',
      endpoint: { disabledAt: expect.any(Date), disabledReason: 'GONE' },
    });
    await hooks.endEdit();
    expect(await hooks.prisma.webhookDelivery.count()).toBe(2);
    expect(receiver.received).toHaveLength(1);
    await expect(hooks.webhooks.redeliver(VIEWER, gone.id)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      field: 'deliveryId',
    });

    expect(await hooks.webhooks.enable(viewerOf('another'), id)).toBe(false);
    expect(await hooks.webhooks.enable(VIEWER, id)).toBe(true);
    hooks.work();
    await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).state).toBe('DELIVERED'));
  });

  test('that has taken nothing for five days is disabled with the next message given up', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push(500);
    const hooks = await startWebhooks({ retryDelaysMs: [] });
    const { id } = await hooks.createWebhook(receiver.url);
    const failingSince = new Date(Date.now() - 5 * DAY_MS - 1);
    await hooks.prisma.webhookEndpoint.update({ where: { id }, data: { failingSince } });
    hooks.work();
    await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).state).toBe('FAILED'));
    expect((await hooks.delivery()).endpoint).toMatchObject({
      disabledAt: expect.any(Date),
      disabledReason: 'FAILING',
    });
  });

  test('that redirects has failed, and is not followed', async () => {
    const target = await receiveWebhooks();
    const receiver = await receiveWebhooks();
    receiver.answers.push((res) => res.writeHead(308, { location: target.url }).end());
    const hooks = await startWebhooks();
    await hooks.createWebhook(receiver.url);
    hooks.work();
    await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).attempts).toHaveLength(1));
    expect(await hooks.delivery()).toMatchObject({
      state: 'PENDING',
      lastHttpStatus: 308,
      lastError: 'The endpoint returned 308; redirects are not followed.',
    });
    expect(target.received).toEqual([]);
  });

  test('that does not answer in time has failed', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push(() => {});
    const hooks = await startWebhooks({ timeoutMs: 300 });
    await hooks.createWebhook(receiver.url);
    hooks.work();
    await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).attempts).toHaveLength(1));
    expect(await hooks.delivery()).toMatchObject({
      lastHttpStatus: null,
      lastError: 'The endpoint did not respond within 0.3 s.',
    });
  });

  test('whose answer never ends has taken the message, and is hung up on', async () => {
    const receiver = await receiveWebhooks();
    const hungUp = Promise.withResolvers<void>();
    receiver.answers.push((res) => {
      res.writeHead(200);
      res.on('close', () => hungUp.resolve());
      const flood = () => {
        while (!res.closed && res.write('x'.repeat(16_384)));
      };
      res.on('drain', flood);
      flood();
    });
    const hooks = await startWebhooks();
    await hooks.createWebhook(receiver.url);
    hooks.work();
    await hooks.endEdit();
    await hungUp.promise;
    await eventually(async () => expect((await hooks.delivery()).state).toBe('DELIVERED'));
  });

  test('that leads inward gets no connection, whatever it is written as', async () => {
    const receiver = await receiveWebhooks();
    const lookup = (_: string, __: object, callback: (e: null, a: LookupAddress[]) => void) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    const hooks = await startWebhooks({ guard: { lookup } });
    const hosts = [
      '127.0.0.1',
      '0.0.0.0',
      '[::ffff:127.0.0.1]',
      '2130706433',
      'localhost',
      'rebound.example',
    ];
    for (const host of hosts) {
      const { id } = await hooks.createWebhook(`http://${host}:${receiver.port}/`);
      await hooks.endEdit();
      const { id: deliveryId } = await hooks.delivery();
      await hooks.deliver({ deliveryId, turn: 0 }, new AbortController().signal);
      expect(await hooks.delivery(), host).toMatchObject({
        state: 'PENDING',
        lastHttpStatus: null,
        lastError: 'The URL resolves to an address that is not public. No connection was made.',
      });
      await hooks.webhooks.delete(VIEWER, id);
    }
    expect(receiver.received).toEqual([]);
  });

  test('is signed for by both secrets for a day after a rotation, then by the new one', async () => {
    const receiver = await receiveWebhooks();
    const hooks = await startWebhooks();
    const { id, secret: old } = await hooks.createWebhook(receiver.url);
    expect(await hooks.webhooks.rotateSecret(viewerOf('another'), id)).toBeNull();
    const rotated = await hooks.webhooks.rotateSecret(VIEWER, id);
    const secret = rotated?.secret ?? '';
    expect(secret).not.toBe(old);
    hooks.work();
    await hooks.endEdit();
    await eventually(() => expect(receiver.received).toHaveLength(1));
    verify(first(receiver.received), old);
    verify(first(receiver.received), secret);

    const previousSecretUntil = new Date(Date.now() - 1);
    await hooks.prisma.webhookEndpoint.update({ where: { id }, data: { previousSecretUntil } });
    await hooks.endEdit();
    await eventually(() => expect(receiver.received).toHaveLength(2));
    const later = first(receiver.received.slice(1));
    verify(later, secret);
    expect(() => verify(later, old)).toThrow('No matching');
  });

  test('keeps its secret when the server’s key is replaced, while the earlier key is configured', async () => {
    const receiver = await receiveWebhooks();
    const [old, current] = [createSecretKey(randomBytes(32)), createSecretKey(randomBytes(32))];
    const hooks = await startWebhooks({ secretKeys: createSecretKeys(current, [old]) });
    const { id } = await hooks.createWebhook(receiver.url);
    await hooks.prisma.webhookEndpoint.update({ where: { id }, data: { secretKeyId: old.id } });
    hooks.work();
    await hooks.endEdit();
    await eventually(() => expect(receiver.received).toHaveLength(1));
    const secret = secretOf(old, { id, secretVersion: 1 });
    verify(first(receiver.received), secret);

    const rotated = await hooks.webhooks.rotateSecret(VIEWER, id);
    expect(rotated?.secret).toBe(secretOf(current, { id, secretVersion: 2 }));
    await hooks.endEdit();
    await eventually(() => expect(receiver.received).toHaveLength(2));
    const later = first(receiver.received.slice(1));
    verify(later, secret);
    verify(later, rotated?.secret ?? '');
  });

  test('is not signed for with another server key than its secret was made from', async () => {
    const receiver = await receiveWebhooks();
    const secretKey = createSecretKey(randomBytes(32));
    const hooks = await startWebhooks({ secretKeys: createSecretKeys(secretKey) });
    const { id, secret } = await hooks.createWebhook(receiver.url);
    expect(secretOf(secretKey, { id, secretVersion: 1 })).toBe(secret);
    await hooks.prisma.webhookEndpoint.update({ where: { id }, data: { secretKeyId: 'other' } });
    hooks.work();
    await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).attempts).toHaveLength(1));
    expect((await hooks.delivery()).lastError).toMatch('SECRET_KEY has changed');

    const rotated = await hooks.webhooks.rotateSecret(VIEWER, id);
    await hooks.endEdit();
    await eventually(() => expect(receiver.received).toHaveLength(1));
    verify(first(receiver.received), rotated?.secret ?? '');
    expect(first(receiver.received).headers['webhook-signature']).not.toContain(' ');
  });

  test('gets a message again whose sender was stopped before its answer, under the same id', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push(() => {});
    const hooks = await startWebhooks();
    await hooks.createWebhook(receiver.url);
    await hooks.endEdit();
    const { id: deliveryId } = await hooks.delivery();
    const stopping = new AbortController();
    const stopped = hooks.deliver({ deliveryId, turn: 0 }, stopping.signal);
    await eventually(() => expect(receiver.received).toHaveLength(1));
    stopping.abort(new Error('stopping'));
    await expect(stopped).rejects.toThrow('stopping');
    expect(await hooks.delivery()).toMatchObject({ state: 'PENDING', turn: 0, attempts: [] });
    hooks.work();
    await eventually(async () => expect((await hooks.delivery()).state).toBe('DELIVERED'));
    const [one, two] = receiver.received;
    expect(two?.headers['webhook-id']).toBe(one?.headers['webhook-id']);
  });

  test('shows its secret, the server’s key and the prompt in no row and no log line', async () => {
    const receiver = await receiveWebhooks();
    receiver.answers.push(500);
    const key = randomBytes(32);
    const hooks = await startWebhooks({
      secretKeys: createSecretKeys(createSecretKey(key)),
      retryDelaysMs: [1],
    });
    const { secret } = await hooks.createWebhook(`${receiver.url}/?token=canary-token`);
    hooks.work();
    await hooks.endEdit();
    await eventually(async () => expect((await hooks.delivery()).state).toBe('DELIVERED'));
    const { prisma } = hooks;
    const rows = JSON.stringify([
      await prisma.webhookEndpoint.findMany(),
      await prisma.webhookDelivery.findMany(),
      await prisma.webhookDeliveryAttempt.findMany(),
      await prisma.$queryRaw`SELECT data::text AS data, output::text AS output FROM ${JOB_TABLE}`,
    ]);
    const lines = hooks.logged.join('\n');
    expect(lines).toContain('webhook delivered');
    const raw = Buffer.from(secret.slice('whsec_'.length), 'base64');
    for (const bytes of [key, raw]) {
      for (const encoding of ['base64', 'hex'] as const) {
        expect(rows).not.toContain(bytes.toString(encoding));
        expect(lines).not.toContain(bytes.toString(encoding));
      }
    }
    expect(lines).not.toContain('canary');
    expect(receiver.received.map(({ body }) => body).join()).not.toContain('canary');
  });
});
