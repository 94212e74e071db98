import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NO_DRAWING, startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const RETRY = /* GraphQL */ `
  mutation Retry($id: ID!, $key: String) {
    retryEdit(input: { id: $id, idempotencyKey: $key }) {
      __typename
      ... on RetryEditPayload { editJob { id status retryOf { id } prompt { text } inputImages { id } } }
      ... on Error { message }
    }
  }
`;
const CANCEL = /* GraphQL */ `
  mutation Cancel($id: ID!) {
    cancelEdit(input: { id: $id }) {
      __typename
      ... on CancelEditPayload { editJob { id status costUnresolved error { code } attempts { state } } }
      ... on JobNotCancelableError { status message }
      ... on Error { message }
    }
  }
`;
const STATUS =
  'query($id: ID!) { editJob(id: $id) { status nextAttemptAt retries { nodes { id } } } }';

describe.runIf(hasDatabase)('a job', () => {
  let app: TestApp;
  let imageId: string;

  async function start(env: Record<string, string> = {}) {
    app = await startTestApp(env, NO_DRAWING);
    const { data } = await app.upload(
      'mutation($f: Upload!) { uploadImage(input: { file: $f }) { ... on UploadImagePayload { image { id } } } }',
      { f: null },
      { f: await png() },
    );
    imageId = data.uploadImage.image.id;
  }
  afterEach(() => app.stop());

  async function edit(input: object = {}) {
    const answer = await app.query(EDIT, {
      input: { images: [{ id: imageId }], prompt: 'p', ...input },
    });
    return answer.data?.editImage ?? answer;
  }
  const run = async (query: string, variables: object) => (await app.query(query, variables)).data;
  const becomes = (id: string, status: string) =>
    eventually(async () => expect((await run(STATUS, { id })).editJob.status).toBe(status));
  const stats = () => app.sandbox.stats();

  describe('that was surely not processed', () => {
    beforeEach(() => start({ MAX_EDIT_ATTEMPTS: '3' }));

    test('is sent again until it succeeds, and paid once', async () => {
      app.sandbox.faults.push(
        { kind: 'rate_limit', retryAfter: 1 },
        { kind: 'status', status: 503 },
      );
      const { editJob } = await edit({ wait: 30 });
      expect(editJob.status).toBe('SUCCEEDED');
      expect(editJob.attempts).toMatchObject([
        { number: 1, state: 'FAILED', httpStatus: 429 },
        { number: 2, state: 'FAILED', httpStatus: 503 },
        { number: 3, state: 'SUCCEEDED', httpStatus: 200 },
      ]);
      expect(stats()).toMatchObject({ requests: 3, paid: 1 });
    });

    test('waits as long as Retry-After says, visibly, and can be canceled for free', async () => {
      app.sandbox.faults.push({ kind: 'rate_limit', retryAfter: 120 });
      const { editJob } = await edit({ wait: 0 });
      await eventually(async () => {
        const { editJob: job } = await run(STATUS, { id: editJob.id });
        expect(job.status).toBe('QUEUED');
        expect(job.nextAttemptAt).not.toBeNull();
        expect(
          Date.parse(job.nextAttemptAt) - Date.parse(editJob.createdAt),
        ).toBeGreaterThanOrEqual(120_000);
      });
      const { cancelEdit } = await run(CANCEL, { id: editJob.id });
      expect(cancelEdit.editJob).toMatchObject({
        status: 'CANCELED',
        costUnresolved: false,
        error: null,
      });
      expect(stats()).toMatchObject({ requests: 1, paid: 0 });
    });

    test('fails for good when its tries are used up', async () => {
      for (let i = 0; i < 3; i++) app.sandbox.faults.push({ kind: 'status', status: 503 });
      const { editJob } = await edit({ wait: 30 });
      expect(editJob).toMatchObject({
        status: 'FAILED',
        error: { code: 'SERVER_ERROR', retryable: true },
      });
      expect(stats()).toMatchObject({ requests: 3, paid: 0 });
    });
  });

  describe('on request', () => {
    beforeEach(() => start({ MAX_CONCURRENT_EDITS: '1' }));

    test('is canceled while it runs: the call is aborted, its cost unresolved', async () => {
      app.sandbox.faults.push({ kind: 'hang' });
      const { editJob } = await edit({ wait: 0 });
      await eventually(() => expect(stats().paid).toBe(1));
      const waiting = await edit({ wait: 0, prompt: 'behind it' });
      const { cancelEdit } = await run(CANCEL, { id: editJob.id });
      expect(cancelEdit.editJob).toMatchObject({
        status: 'CANCELED',
        costUnresolved: true,
        error: { code: 'CANCELED' },
        attempts: [{ state: 'UNKNOWN' }],
      });
      // Its place is free: the call was really aborted.
      await becomes(waiting.editJob.id, 'SUCCEEDED');
      await becomes(editJob.id, 'CANCELED');
      const again = await run(CANCEL, { id: editJob.id });
      expect(again.cancelEdit).toMatchObject({
        __typename: 'JobNotCancelableError',
        status: 'CANCELED',
      });
    });

    test('is canceled from the queue, and never sent', async () => {
      app.sandbox.faults.push({ kind: 'delay', delayMs: 500 });
      const first = await edit({ wait: 0 });
      await eventually(() => expect(stats().requests).toBe(1));
      const second = await edit({ wait: 0, prompt: 'never' });
      const { cancelEdit } = await run(CANCEL, { id: second.editJob.id });
      expect(cancelEdit.editJob).toMatchObject({ status: 'CANCELED', costUnresolved: false });
      await becomes(first.editJob.id, 'SUCCEEDED');
      const third = await edit({ prompt: 'after it' });
      expect(third.editJob.status).toBe('SUCCEEDED');
      expect(stats().requests).toBe(2);
    });

    test('is tried again as a new job with the same inputs, linked to the old one', async () => {
      app.sandbox.faults.push({ kind: 'reset' });
      const { editJob: old } = await edit({ prompt: 'again' });
      expect(old.status).toBe('OUTCOME_UNKNOWN');
      const { retryEdit } = await run(RETRY, { id: old.id, key: 'k' });
      expect(retryEdit.editJob).toMatchObject({
        status: 'SUCCEEDED',
        retryOf: { id: old.id },
        prompt: { text: 'again' },
        inputImages: [{ id: imageId }],
      });
      const same = await run(RETRY, { id: old.id, key: 'k' });
      expect(same.retryEdit.editJob.id).toBe(retryEdit.editJob.id);
      expect(stats().requests).toBe(2);
      const { editJob } = await run(STATUS, { id: old.id });
      expect(editJob.retries.nodes).toEqual([{ id: retryEdit.editJob.id }]);
    });

    test('is not to be found under an id of nothing', async () => {
      const id = 'nonsense';
      expect((await run(CANCEL, { id })).cancelEdit.__typename).toBe('NotFoundError');
      expect((await run(RETRY, { id })).retryEdit.__typename).toBe('NotFoundError');
    });
  });

  describe('with an idempotency key', () => {
    beforeEach(() => start());

    test('is one job, paid once, for fifty at once and after a restart', async () => {
      const input = { idempotencyKey: 'order-7', metadata: { b: 1, a: 2 } };
      const answers = await Promise.all(Array.from({ length: 50 }, () => edit(input)));
      const ids = new Set(answers.map(({ editJob }) => editJob.id));
      expect(ids.size).toBe(1);
      expect(answers.every(({ editJob }) => editJob.status === 'SUCCEEDED')).toBe(true);
      await app.restart();
      const later = await edit({ ...input, metadata: { a: 2, b: 1 } });
      expect(ids.has(later.editJob.id)).toBe(true);
      expect(stats()).toMatchObject({ requests: 1, paid: 1 });
    });

    test('refuses another input under the same key, and remembers no refused input', async () => {
      const refused = await edit({ idempotencyKey: 'k', n: 11 });
      expect(refused.__typename).toBe('InvalidInputError');
      const first = await edit({ idempotencyKey: 'k' });
      expect(first.editJob.status).toBe('SUCCEEDED');
      const other = await edit({ idempotencyKey: 'k', prompt: 'another' });
      expect(other).toMatchObject({ __typename: 'IdempotencyConflictError' });
      expect(stats().requests).toBe(1);
    });

    test('an uploaded image counts by its content', async () => {
      const upload = (file: Uint8Array) =>
        app.upload(
          EDIT,
          { input: { images: [{ file: null }], prompt: 'p', idempotencyKey: 'u' } },
          { 'input.images.0.file': file },
        );
      const picture = await png(40, 40);
      const first = (await upload(picture)).data.editImage;
      const same = (await upload(picture)).data.editImage;
      expect(same.editJob.id).toBe(first.editJob.id);
      const other = (await upload(await png(41, 40))).data.editImage;
      expect(other.__typename).toBe('IdempotencyConflictError');
    });

    test.each([
      ['empty', ''],
      ['too long', 'x'.repeat(256)],
      ['with a line break', 'a\nb'],
    ])('refuses a key that is %s', async (_, idempotencyKey) => {
      const answer = await edit({ idempotencyKey });
      expect(answer).toMatchObject({ __typename: 'InvalidInputError', field: 'idempotencyKey' });
    });
  });

  describe('beyond MAX_QUEUED_EDITS', () => {
    beforeEach(() => start({ MAX_CONCURRENT_EDITS: '1', MAX_QUEUED_EDITS: '3' }));

    test('is answered 503 with Retry-After, and those before it are done', async () => {
      app.sandbox.faults.push({ kind: 'hang' });
      const stuck = await edit({ wait: 0 });
      await eventually(() => expect(stats().requests).toBe(1));
      const waiting = [];
      for (let i = 0; i < 3; i++) waiting.push(await edit({ wait: 0, prompt: `w${i}` }));
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query: EDIT,
          variables: { input: { images: [{ id: imageId }], prompt: 'too much' } },
        }),
      });
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await response.json()).errors[0].extensions.code).toBe('UNAVAILABLE');
      await run(CANCEL, { id: stuck.editJob.id });
      for (const { editJob } of waiting) await becomes(editJob.id, 'SUCCEEDED');
    });
  });
});
