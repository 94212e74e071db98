import { randomUUID } from 'node:crypto';
import type { Prisma, PrismaClient } from '../../src/database/database.ts';

/** Before the service's own edits: those that are written by hand. */
export const OCTOBER = { from: '2025-10-01T00:00:00Z', to: '2025-11-01T00:00:00Z' };

type Row = Prisma.EditJobCreateManyInput;
const row = (createdAt: string, more: Partial<Row>): Row => ({
  id: randomUUID(),
  ownerId: 'local',
  sandbox: false,
  model: 'm',
  size: 'auto',
  resolvedSize: 'auto',
  n: 1,
  createdAt,
  status: 'SUCCEEDED',
  ...more,
});

/** Seven edits of the viewer and one of somebody else, of all ends, about the end of summer time. */
export async function writeOctober(prisma: PrismaClient) {
  const { id: promptId } = await prisma.prompt.create({
    data: { ownerId: 'local', sha256: 'a'.repeat(64), text: 'october' },
  });
  await prisma.editJob.createMany({
    data: [
      row('2025-10-01T12:00:00Z', { promptId, costMicroUsd: 42_300n, totalTokens: 10 }),
      row('2025-10-25T22:30:00Z', { costMicroUsd: 1n, metadata: { project: 7 }, quality: 'low' }),
      row('2025-10-26T00:30:00Z', { metadata: { project: 'x' }, upstream: 'main' }),
      row('2025-10-26T01:30:00Z', { status: 'OUTCOME_UNKNOWN', errorCode: 'TIMEOUT' }),
      row('2025-10-26T22:30:00Z', { status: 'CANCELED', errorCode: 'CANCELED' }),
      row('2025-10-27T00:00:00Z', { status: 'CANCELED' }),
      row('2025-10-28T00:00:00Z', {
        sandbox: true,
        costMicroUsd: 2_000_000n,
        deletedAt: new Date(),
      }),
      row('2025-10-29T00:00:00Z', { ownerId: 'somebody-else', costMicroUsd: 5n }),
    ],
  });
}
