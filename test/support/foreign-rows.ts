import { randomUUID } from 'node:crypto';
import type { PrismaClient } from '../../src/database/database.ts';
import { encodeGlobalId } from '../../src/public-ids/global-id.ts';
import type { TestApp } from './app.ts';

/** A job, an image and a prompt of somebody else, by their global ids. */
export async function insertForeignRows(app: TestApp) {
  return app.withDatabase(async (prisma: PrismaClient) => {
    const ownerId = 'somebody-else';
    const prompt = await prisma.prompt.create({
      data: { ownerId, sha256: 'a'.repeat(64), text: 'theirs' },
    });
    const image = await prisma.image.create({
      data: {
        ownerId,
        sha256: 'b'.repeat(64),
        format: 'PNG',
        width: 1,
        height: 1,
        bytes: 1,
        hasAlpha: false,
      },
    });
    const job = await prisma.editJob.create({
      data: {
        id: randomUUID(),
        ownerId,
        sandbox: true,
        promptId: prompt.id,
        model: 'm',
        size: 'auto',
        resolvedSize: 'auto',
        n: 1,
      },
    });
    return {
      job: encodeGlobalId('EditJob', job.id),
      image: encodeGlobalId('Image', image.id),
      prompt: encodeGlobalId('Prompt', prompt.id),
    };
  });
}
