import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { startTestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';
import { receiveWebhooks } from '../support/webhook-receiver.ts';

const CREATE =
  'mutation($input: CreateWebhookInput!) { createWebhook(input: $input) { __typename } }';

test.runIf(hasDatabase)(
  'the times of an edit are the same instants in reads, webhooks, exports and SQL',
  // The service is started twice, which is no bar.
  { timeout: 120_000 },
  async () => {
    const beforeMs = Date.now();
    const receiver = await receiveWebhooks();
    const app = await startTestApp({
      WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
      SECRET_KEY: randomBytes(32).toString('base64'),
    });
    onTestFinished(app.stop);
    await app.query(CREATE, { input: { url: receiver.url, events: ['EDIT_SUCCEEDED'] } });
    const { data } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'when' } },
      { 'input.images.0.file': await png() },
    );
    const { id, createdAt, startedAt, finishedAt, attempts } = data.editImage.editJob;
    const instants = [createdAt, startedAt, finishedAt].map(Date.parse);
    const ordered = [beforeMs, ...instants, Date.now()];
    expect(ordered).toEqual(ordered.toSorted((a, b) => a - b));
    expect(attempts[0].sentAt).toBe(startedAt);

    // By itself, in a page, and by a filter that begins or ends with it.
    const { data: read } = await app.query(
      `query($id: ID!, $at: DateTime!) {
        editJob(id: $id) { createdAt startedAt finishedAt }
        editJobs { edges { node { createdAt startedAt finishedAt } } }
        from: editJobs(filter: { createdAt: { from: $at } }) { totalCount }
        to: editJobs(filter: { createdAt: { to: $at } }) { totalCount }
      }`,
      { id, at: createdAt },
    );
    const times = { createdAt, startedAt, finishedAt };
    expect(read.editJob).toMatchObject(times);
    expect(read.editJobs.edges).toEqual([{ node: times }]);
    expect([read.from.totalCount, read.to.totalCount]).toEqual([1, 0]);

    const exported = await fetch(`${app.url}/export/edits?format=ndjson`).then((r) => r.text());
    expect(JSON.parse(exported)).toMatchObject(times);

    await eventually(() => expect(receiver.received).toHaveLength(1));
    const message = JSON.parse(receiver.received[0]?.body ?? '');
    expect(message.data.editJob).toMatchObject({ createdAt, finishedAt });
    expect(message.timestamp).toBe(finishedAt);

    const rows = await app.withDatabase(
      (prisma) => prisma.$queryRaw`
        SELECT (extract(epoch FROM "createdAt") * 1000)::float8 AS "createdAt",
          (extract(epoch FROM "startedAt") * 1000)::float8 AS "startedAt",
          (extract(epoch FROM "finishedAt") * 1000)::float8 AS "finishedAt" FROM "EditJob"`,
    );
    const [created, started, finished] = instants;
    expect(rows).toEqual([{ createdAt: created, startedAt: started, finishedAt: finished }]);
  },
);
