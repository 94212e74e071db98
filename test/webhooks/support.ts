import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { viewerOf } from '../../src/auth/visible.ts';
import { createSecretKey, createSecretKeys, type SecretKeys } from '../../src/config/secret-key.ts';
import type { EndedEdit } from '../../src/edits/end/end-edit.ts';
import { createLog } from '../../src/log.ts';
import { type AddressGuardOptions, createAddressGuard } from '../../src/net/address-guard.ts';
import { createEvents } from '../../src/queue/events.ts';
import { createQueue } from '../../src/queue/queue.ts';
import { createDeliverWebhook } from '../../src/webhooks/deliver-webhook.ts';
import { DELIVER_WEBHOOK } from '../../src/webhooks/delivery-queue.ts';
import { createInsertDeliveries } from '../../src/webhooks/insert-deliveries.ts';
import { createPostWebhook } from '../../src/webhooks/post-webhook.ts';
import { createWebhooks } from '../../src/webhooks/webhooks.ts';
import { createTestDatabase } from '../support/database.ts';

export const VIEWER = viewerOf('me');
export const MINUTE_MS = 60_000;

/** The webhook parts on a database of their own, without the rest of the service. */
export async function startWebhooks(
  options: {
    guard?: AddressGuardOptions;
    retryDelaysMs?: readonly number[];
    timeoutMs?: number;
    secretKeys?: SecretKeys;
  } = {},
) {
  const { retryDelaysMs = [MINUTE_MS], timeoutMs = 10_000 } = options;
  const { guard: guardOptions = { allow: (host) => host === '127.0.0.1' } } = options;
  const secretKeys = options.secretKeys ?? createSecretKeys(createSecretKey(randomBytes(32)));
  const logged: string[] = [];
  const log = createLog({
    level: 'trace',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const testDatabase = await createTestDatabase();
  const database = await testDatabase.open();
  const { prisma } = database;
  const events = createEvents({ database, log });
  await events.start();
  const queue = createQueue({ database, events, log });
  await queue.start([DELIVER_WEBHOOK]);
  const guard = createAddressGuard(guardOptions);
  onTestFinished(async () => {
    await queue.stop({ graceMs: 0 });
    await guard.close();
    await events.stop();
    await database.close();
    await testDatabase.drop();
  });
  const webhooks = createWebhooks({ prisma, queue, secretKeys, isAllowedHost: () => true });
  const insertDeliveries = createInsertDeliveries({ queue });
  const deliver = createDeliverWebhook({
    prisma,
    queue,
    post: createPostWebhook({ guard, timeoutMs }),
    secretKeys,
    reader: { isAdmin: true },
    links: {
      globalId: (typename, id) => `${typename}:${id}`,
      imageUrl: (id) => `http://retouch.example/images/${id}`,
    },
    retryDelaysMs,
    log,
  });

  async function insertJob(status: EndedEdit['status']): Promise<string> {
    const { ownerId } = VIEWER;
    const prompt = await prisma.prompt.create({
      data: { ownerId, sha256: randomBytes(32).toString('hex'), text: 'canary-prompt' },
    });
    const job = await prisma.editJob.create({
      data: {
        ownerId,
        status,
        sandbox: true,
        promptId: prompt.id,
        model: 'm',
        size: 'auto',
        resolvedSize: 'auto',
        n: 1,
        finishedAt: new Date(),
      },
    });
    return job.id;
  }

  return {
    prisma,
    webhooks,
    logged,
    deliver,
    /** Starts sending. */
    work: () => queue.work(DELIVER_WEBHOOK, { concurrency: 4, handle: deliver }),
    createWebhook: (
      url: string,
      events: ('EDIT_SUCCEEDED' | 'EDIT_FAILED')[] = ['EDIT_SUCCEEDED'],
    ) => webhooks.create(VIEWER, { url, events }),
    /** The end of a new edit, whose transaction commits unless `before` throws. */
    async endEdit(status: EndedEdit['status'] = 'SUCCEEDED', before = () => {}) {
      const jobId = await insertJob(status);
      await prisma.$transaction(async (tx) => {
        await insertDeliveries(tx, {
          jobId,
          ownerId: VIEWER.ownerId,
          status,
          costMicroUsd: null,
          usage: null,
        });
        before();
      });
      return jobId;
    },
    delivery: () =>
      prisma.webhookDelivery.findFirstOrThrow({
        orderBy: { id: 'desc' },
        include: { attempts: { orderBy: { number: 'asc' } }, endpoint: true },
      }),
  };
}
