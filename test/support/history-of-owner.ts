import { randomUUID } from 'node:crypto';
import type { PrismaClient } from '../../src/database/database.ts';
import type { openStoredEdits } from './stored-edits.ts';
import { OWNER } from './stored-edits.ts';

/** An edit with an image, a prompt and a retry, and rows in every other table with an owner. */
export async function insertHistory({
  prisma,
  edit,
}: Pick<Awaited<ReturnType<typeof openStoredEdits>>, 'prisma' | 'edit'>): Promise<void> {
  const jobId = await edit({ prompt: 'A red fox', inputs: ['fox', 'mask'] });
  const retryId = await edit({ prompt: 'A red fox', inputs: ['fox'] });
  await edit({ prompt: 'Ein Wald im Nebel' });
  const owned = { ownerId: OWNER };
  await prisma.editJob.update({ where: { id: retryId }, data: { retryOfId: jobId } });
  await prisma.idempotencyKey.create({
    data: { ...owned, jobId, key: 'k', inputSha256: 'a'.repeat(64) },
  });
  await prisma.editResponse.create({
    data: {
      ...owned,
      jobId,
      inputSha256: 'a'.repeat(64),
      requestId: randomUUID(),
      sessionId: randomUUID(),
    },
  });
  await prisma.editAttempt.create({
    data: {
      ...owned,
      jobId,
      number: 1,
      state: 'SUCCEEDED',
      processId: randomUUID(),
      upstream: 'u',
    },
  });
  await prisma.tokenUsage.create({ data: { ...owned, jobId, raw: {} } });
  await prisma.charge.create({
    data: { ...owned, jobId, amountMicroUsd: 7, priceVersion: 'v' },
  });
  await prisma.limit.create({
    data: {
      ...owned,
      subject: 'OWNER',
      measure: 'COST',
      window: 'MONTH',
      amount: 9,
      windowStart: new Date(),
    },
  });
  await prisma.limitReservation.create({
    data: { ...owned, jobId, measure: 'COST', amount: 7, bound: {}, reservedAt: new Date() },
  });
  await insertWebhook(prisma, jobId);
  await prisma.apiKey.create({
    data: { ...owned, name: 'n', prefix: 'p', sha256: 'a'.repeat(64), scopes: ['READ'] },
  });
  await prisma.auditEvent.create({
    data: { ...owned, actorId: OWNER, action: 'a', objectType: 't', objectId: 'i' },
  });
}

async function insertWebhook(prisma: PrismaClient, jobId: string): Promise<void> {
  const owned = { ownerId: OWNER };
  const { id: endpointId } = await prisma.webhookEndpoint.create({
    data: { ...owned, url: 'https://example.com/', secretKeyId: 'k' },
  });
  const { id: deliveryId } = await prisma.webhookDelivery.create({
    data: { ...owned, endpointId, jobId, event: 'EDIT_SUCCEEDED' },
  });
  await prisma.webhookDeliveryAttempt.create({
    data: { ...owned, deliveryId, number: 1, sentAt: new Date(), finishedAt: new Date() },
  });
}
