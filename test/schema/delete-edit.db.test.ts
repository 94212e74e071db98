import { randomBytes } from 'node:crypto';
import { readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { dumpTables } from '../support/dump-tables.ts';
import { eventually } from '../support/eventually.ts';
import { insertForeignRows } from '../support/foreign-rows.ts';
import { EDIT } from '../support/operations.ts';
import { WS } from '../support/subscriptions.ts';
import { mask, png } from '../support/test-images.ts';
import { receiveWebhooks } from '../support/webhook-receiver.ts';

const DELETE = /* GraphQL */ `
  mutation Delete($id: ID!) {
    deleteEdit(input: { id: $id }) {
      __typename
      ... on DeleteEditPayload { deletedId }
      ... on JobNotDeletableError { status message }
      ... on Error { message }
    }
  }
`;
const RETRY = /* GraphQL */ `
  mutation Retry($id: ID!) {
    retryEdit(input: { id: $id }) { ... on RetryEditPayload { editJob { id status retryOf { id } } } ... on Error { message } }
  }
`;
const PROMPT = 'canary-prompt 秘密の言葉';
const HOUR_MS = 60 * 60 * 1_000;

describe.runIf(hasDatabase)('deleteEdit', () => {
  let app: TestApp;
  beforeEach(async () => {
    app = await startTestApp({
      SECRET_KEY: randomBytes(32).toString('base64'),
      WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
    });
  });
  afterEach(() => app?.stop());

  const blobs = () => filesIn(join(app.dir, 'blobs'));
  const answers = () => filesIn(join(app.dir, 'blobs/answers'));
  const remove = async (id: string) => (await app.query(DELETE, { id })).data.deleteEdit;

  async function edit(input: object, files: Record<string, Uint8Array> = {}) {
    const { data } = await app.upload(EDIT, { input }, files);
    expect(data.editImage.__typename).toBe('EditImagePayload');
    return data.editImage.editJob;
  }

  /** As if they had been stored long before: what is younger may still be about to get its row. */
  async function ageBlobs() {
    const at = new Date(Date.now() - HOUR_MS);
    for (const path of await blobs()) await utimes(path, at, at);
  }

  async function usage() {
    const { data } = await app.query(`{
      usage(from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z") {
        totals { edits succeeded failed images totalTokens inputTokens outputTokens }
      }
    }`);
    return data.usage.totals;
  }

  test('leaves nothing of prompt, labels, images, key and answers, in no table and no file', async () => {
    const receiver = await receiveWebhooks();
    await app.query(
      'mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { __typename } }',
      { input: { url: receiver.url, events: ['EDIT_SUCCEEDED'] } },
    );
    const input = await png(64, 48);
    const hole = await mask(64, 48);
    const job = await edit(
      {
        images: [{ file: null }],
        mask: { file: null },
        prompt: PROMPT,
        metadata: { project: 'canary-label' },
        extraParams: { user: 'canary-user' },
      },
      { 'input.images.0.file': input, 'input.mask.file': hole },
    );
    app.sandbox.faults.push({ kind: 'html' });
    const failed = await edit(
      { images: [{ id: job.outputImages[0].id }], prompt: PROMPT, metadata: { p: 'canary-label' } },
      {},
    );
    expect(failed.status).toBe('OUTCOME_UNKNOWN');
    // That of the first goes behind its end.
    await eventually(async () => expect(await answers()).toHaveLength(1));
    await eventually(() => expect(receiver.received).not.toHaveLength(0));
    await app.withDatabase(async (prisma) => {
      await prisma.editJob.updateMany({ data: { answerRevisedPrompt: 'canary-prompt' } });
      const moderationDetails = { stage: 'input', categories: ['canary-label'] };
      await prisma.editAttempt.updateMany({ data: { moderationDetails } });
    });
    const before = await usage();
    await ageBlobs();
    for (const { id } of [job, failed]) {
      expect(await remove(id)).toEqual({ __typename: 'DeleteEditPayload', deletedId: id });
    }
    await eventually(async () => expect(await blobs()).toEqual([]));
    await eventually(async () => expect(await answers()).toEqual([]));
    expect(await usage()).toEqual(before);
    expect(before).toMatchObject({ edits: 2, succeeded: 1, images: 1 });
    const gone = await app.query(
      `query ($id: ID!, $image: ID!) {
        editJob(id: $id) { id } node(id: $id) { id } image(id: $image) { id }
        editJobs { totalCount edges { node { id } } }
      }`,
      { id: job.id, image: job.inputImages[0].id },
    );
    expect(gone.data).toEqual({
      editJob: null,
      node: null,
      image: null,
      editJobs: { totalCount: 0, edges: [] },
    });
    const dump = await app.withDatabase(dumpTables);
    expect(dump).toContain('EditJob');
    expect(dump).not.toMatch(/canary-(prompt|label|user)|秘密/);
    expect(dump).toContain('WebhookEndpoint');
    expect(dump).not.toContain('WebhookDelivery');
    for (const path of await filesIn(app.dir)) {
      if (path.includes('/postgres/')) continue;
      const bytes = await readFile(path);
      expect(bytes.includes(input.subarray(60, 120))).toBe(false);
    }
  });

  test('leaves prompt and images that another edit has, and the edits that repeat it', async () => {
    const first = await edit(
      { images: [{ file: null }], prompt: PROMPT },
      { 'input.images.0.file': await png(64, 48) },
    );
    const { data } = await app.query(RETRY, { id: first.id });
    const retry = data.retryEdit.editJob;
    expect(retry.retryOf.id).toBe(first.id);
    const child = await edit({ images: [{ id: first.outputImages[0].id }], prompt: 'next' });
    expect((await remove(first.id)).__typename).toBe('DeleteEditPayload');
    const rest = await app.query(
      `query ($retry: ID!, $child: ID!) {
        retry: editJob(id: $retry) { prompt { text } retryOf { id } inputImages { id b64Json } }
        child: editJob(id: $child) { prompt { text } inputImages { id b64Json } }
      }`,
      { retry: retry.id, child: child.id },
    );
    expect(rest.errors).toBeUndefined();
    expect(rest.data.retry).toMatchObject({
      prompt: { text: PROMPT },
      retryOf: null,
      inputImages: [{ id: first.inputImages[0].id }],
    });
    expect(rest.data.child.inputImages).toMatchObject([{ id: first.outputImages[0].id }]);
    const again = await app.query(RETRY, { id: retry.id });
    expect(again.data.retryEdit.editJob.status).toBe('SUCCEEDED');
  });

  test('refuses an edit that has not ended and says to cancel it first, and then deletes it', async () => {
    app.sandbox.faults.push({ kind: 'hang' });
    const job = await edit(
      { images: [{ file: null }], prompt: PROMPT, wait: 0 },
      { 'input.images.0.file': await png(64, 48) },
    );
    const refused = await remove(job.id);
    expect(refused.__typename).toBe('JobNotDeletableError');
    expect(refused.message).toContain('Cancel it with cancelEdit before');
    await app.query('mutation ($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }', {
      id: job.id,
    });
    expect((await remove(job.id)).__typename).toBe('DeleteEditPayload');
  });

  test('finds nothing that is somebody else’s, or deleted already', async () => {
    const foreign = await insertForeignRows(app);
    expect((await remove(foreign.job)).__typename).toBe('NotFoundError');
    expect((await remove('nonsense')).__typename).toBe('NotFoundError');
    const job = await edit(
      { images: [{ file: null }], prompt: PROMPT },
      { 'input.images.0.file': await png(64, 48) },
    );
    const answers = await Promise.all([1, 2, 3].map(() => remove(job.id)));
    expect(answers.map(({ __typename }) => __typename).sort()).toEqual([
      'DeleteEditPayload',
      'NotFoundError',
      'NotFoundError',
    ]);
  });

  test.each(['deleteEdit', 'cancelEdit', 'retryEdit'])(
    'names what is not there by the id that was given: %s',
    async (mutation) => {
      const job = await edit(
        { images: [{ file: null }], prompt: PROMPT },
        { 'input.images.0.file': await png(64, 48) },
      );
      await remove(job.id);
      const { data } = await app.query(
        `mutation ($id: ID!) {
          ${mutation}(input: { id: $id }) { ... on NotFoundError { resource id message } }
        }`,
        { id: job.id },
      );
      const message = expect.stringContaining(job.id);
      expect(data[mutation]).toEqual({ resource: 'EditJob', id: job.id, message });
    },
  );

  test('never lets a request that is repeated under its key be paid again', async () => {
    const { data } = await app.upload(
      'mutation ($file: Upload!) { uploadImage(input: { file: $file }) { ... on UploadImagePayload { image { id } } } }',
      { file: null },
      { file: await png(64, 48) },
    );
    const imageId = data.uploadImage.image.id;
    await edit({ images: [{ id: imageId }], prompt: 'so that the picture stays' });
    const input = { images: [{ id: imageId }], prompt: PROMPT, idempotencyKey: 'k' };
    const job = await edit(input);
    await remove(job.id);
    const paid = app.sandbox.stats().requests;
    const repeated = await app.query(EDIT, { input });
    expect(repeated.data.editImage.__typename).toBe('IdempotencyConflictError');
    expect(repeated.data.editImage.message).toContain('deleted');
    expect(app.sandbox.stats().requests).toBe(paid);
  });

  test('is told to those who follow all edits, whatever their filter', async () => {
    const job = await edit(
      { images: [{ file: null }], prompt: PROMPT },
      { 'input.images.0.file': await png(64, 48) },
    );
    const follow = /* GraphQL */ `
      subscription ($filter: EditJobFilter) {
        editJobs(filter: $filter) { __typename editJobId ... on EditJobUpdate { editJob { id } } }
      }
    `;
    const results = [{}, { filter: { status: ['FAILED'] } }].map((variables) =>
      WS.subscribe(app.url, follow, variables),
    );
    const firsts = results.map((one) => one.next());
    await eventually(() =>
      expect(app.logged.filter((line) => line.includes('subscription started'))).toHaveLength(2),
    );
    await remove(job.id);
    for (const [index, first] of firsts.entries()) {
      expect((await first).value.data.editJobs).toEqual({
        __typename: 'EditJobDeleted',
        editJobId: job.id,
      });
      await results[index]?.return?.();
    }
  });
});
