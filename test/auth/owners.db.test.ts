import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database, PrismaClient } from '../../src/database/database.ts';
import { createTestDatabase } from '../support/database.ts';

type Rows = Awaited<ReturnType<typeof insertRows>>;

let testDatabase: Awaited<ReturnType<typeof createTestDatabase>>;
let database: Database;
let mine: Rows;
let theirs: Rows;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await testDatabase.open();
  mine = await insertRows(database.prisma, 'me');
  theirs = await insertRows(database.prisma, 'them');
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const JOB = { sandbox: true, model: 'm', size: 's', resolvedSize: 's', n: 1 };
const ENDPOINT = { url: 'https://example.com/', secretKeyId: 'k' };

/** One row of each table that others link to. */
async function insertRows(prisma: PrismaClient, ownerId: string) {
  const owner = { ownerId };
  const prompt = await prisma.prompt.create({
    data: { ...owner, sha256: 'a'.repeat(64), text: 'p' },
  });
  const image = await prisma.image.create({
    data: {
      ...owner,
      sha256: 'a'.repeat(64),
      format: 'PNG',
      width: 1,
      height: 1,
      bytes: 1,
      hasAlpha: false,
    },
  });
  const job = await prisma.editJob.create({ data: { ...owner, ...JOB, promptId: prompt.id } });
  const endpoint = await prisma.webhookEndpoint.create({ data: { ...owner, ...ENDPOINT } });
  const event = 'EDIT_FAILED';
  const delivery = await prisma.webhookDelivery.create({
    data: { ...owner, endpointId: endpoint.id, jobId: job.id, event },
  });
  return {
    ...owner,
    promptId: prompt.id,
    imageId: image.id,
    jobId: job.id,
    endpointId: endpoint.id,
    deliveryId: delivery.id,
  };
}

/** Inserts a row of `owner` that links the rows given. */
const LINKS: Record<string, (prisma: PrismaClient, owner: Rows, to: Rows) => PromiseLike<unknown>> =
  {
    'an edit and a prompt': (prisma, { ownerId }, { promptId }) =>
      prisma.editJob.create({ data: { ...JOB, ownerId, promptId } }),
    'an edit and the one that it repeats': (prisma, { ownerId }, { jobId: retryOfId }) =>
      prisma.editJob.create({ data: { ...JOB, ownerId, retryOfId } }),
    'an image and the edit that has it': (prisma, { ownerId, imageId }, { jobId }) =>
      prisma.editJobImage.create({
        data: { ownerId, imageId, jobId, role: 'INPUT', position: 0 },
      }),
    'an edit and its image': (prisma, { ownerId, jobId }, { imageId }) =>
      prisma.editJobImage.create({
        data: { ownerId, imageId, jobId, role: 'OUTPUT', position: 0 },
      }),
    'an attempt and an edit': (prisma, { ownerId }, { jobId }) =>
      prisma.editAttempt.create({
        data: { ownerId, jobId, number: 1, processId: randomUUID(), upstream: 'u' },
      }),
    'token usage and an edit': (prisma, { ownerId }, { jobId }) =>
      prisma.tokenUsage.create({ data: { ownerId, jobId, raw: {} } }),
    'a charge and an edit': (prisma, { ownerId }, { jobId }) =>
      prisma.charge.create({ data: { ownerId, jobId, amountMicroUsd: 1, priceVersion: 'v' } }),
    'an idempotency key and an edit': (prisma, { ownerId }, { jobId }) =>
      prisma.idempotencyKey.create({
        data: { ownerId, jobId, key: randomUUID(), inputSha256: 'a'.repeat(64) },
      }),
    'a reservation and an edit': (prisma, { ownerId }, { jobId }) =>
      prisma.limitReservation.create({
        data: { ownerId, jobId, measure: 'COST', amount: 1, reservedAt: new Date() },
      }),
    'what a prompt is found by and the prompt': (prisma, { ownerId }, { promptId }) =>
      prisma.promptSearch.create({ data: { ownerId, promptId, text: 'p', grams: [] } }),
    'a delivery and an edit': (prisma, { ownerId, endpointId }, { jobId }) =>
      prisma.webhookDelivery.create({
        data: { ownerId, endpointId, jobId, event: 'EDIT_FAILED' },
      }),
    'a delivery and a webhook': (prisma, { ownerId, jobId }, { endpointId }) =>
      prisma.webhookDelivery.create({
        data: { ownerId, endpointId, jobId, event: 'EDIT_FAILED' },
      }),
    'an attempt to deliver and a delivery': (prisma, { ownerId }, { deliveryId }) =>
      prisma.webhookDeliveryAttempt.create({
        data: { ownerId, deliveryId, number: 1, sentAt: new Date(), finishedAt: new Date() },
      }),
  };

describe.each(Object.entries(LINKS))('a row that links %s', (_, insert) => {
  test('is rejected by a foreign key if they have two owners', async () => {
    await expect(insert(database.prisma, mine, theirs)).rejects.toMatchObject({ code: 'P2003' });
  });

  test('is inserted if they have one owner', async () => {
    await expect(insert(database.prisma, mine, mine)).resolves.toBeDefined();
  });
});

test('each foreign key between tables with an owner contains the owner', async () => {
  const keys = await database.prisma.$queryRaw<{ name: string }[]>`
    SELECT link.conname AS name FROM pg_constraint AS link
    JOIN pg_attribute AS here ON here.attrelid = link.conrelid AND here.attname = 'ownerId'
    JOIN pg_attribute AS there ON there.attrelid = link.confrelid AND there.attname = 'ownerId'
    WHERE link.contype = 'f' AND link.connamespace = current_schema()::regnamespace
      AND NOT (here.attnum = ANY (link.conkey) AND there.attnum = ANY (link.confkey))`;
  expect(keys).toEqual([]);
});
