import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { EDIT } from '../support/operations.ts';
import { type Results, SUBSCRIBERS, type Subscriber, WS } from '../support/subscriptions.ts';
import { png } from '../support/test-images.ts';

const WATCH = /* GraphQL */ `
  subscription Watch($id: ID!) {
    editJob(id: $id) {
      __typename editJobId
      editJob { id status partialImages { id } outputImages { id } error { code } }
      ... on EditJobPartialImageReceived { index image { id url format width } }
    }
  }
`;
const WATCH_ALL = /* GraphQL */ `
  subscription WatchAll($filter: EditJobFilter) {
    editJobs(filter: $filter) { __typename ... on EditJobUpdate { editJob { id status } } }
  }
`;

describe.runIf(hasDatabase)('a subscription', () => {
  let app: TestApp;
  let imageId: string;

  async function start(env: Record<string, string> = {}) {
    app = await startTestApp({ SHUTDOWN_GRACE_SECONDS: '0', ...env });
    const uploaded = await app.upload(
      'mutation ($file: Upload!) { uploadImage(input: { file: $file }) { ... on UploadImagePayload { image { id } } } }',
      { file: null },
      { file: await png(64, 64) },
    );
    imageId = uploaded.data.uploadImage.image.id;
  }
  async function edit(input: object = {}): Promise<string> {
    const { data } = await app.query(EDIT, {
      input: { images: [{ id: imageId }], prompt: 'a hat', wait: 0, ...input },
    });
    return data.editImage.editJob.id;
  }
  const cancel = (id: string) =>
    app.query('mutation ($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }', { id });

  /** Cancels the edits that a test leaves behind. */
  async function endAll() {
    const open = '{ editJobs(first: 100, filter: { status: [QUEUED, RUNNING] }) { nodes { id } } }';
    const { data } = await app.query(open);
    for (const { id } of data.editJobs.nodes) await cancel(id);
  }

  /** A job that runs until it is canceled, so that those behind it wait. */
  async function block(input: object = {}): Promise<string> {
    const before = app.sandbox.stats().requests;
    app.sandbox.faults.push({ kind: 'hang' });
    const id = await edit({ prompt: 'in the way', ...input });
    await eventually(() => expect(app.sandbox.stats().requests).toBe(before + 1));
    return id;
  }

  function watch(
    subscriber: Subscriber,
    query: string,
    variables: Record<string, unknown>,
  ): Results {
    const results = subscriber.subscribe(app.url, query, variables);
    // The service has stopped by then, and may have cut it.
    onTestFinished(async () => void (await results.return?.().catch(() => undefined)));
    return results;
  }
  async function next(results: Results) {
    const { value, done } = await results.next();
    if (done) throw new Error('the subscription has ended');
    expect(value.errors).toBeUndefined();
    return value.data.editJob ?? value.data.editJobs;
  }
  /** The next news of that edit; what is known of others may be told again meanwhile. */
  async function nextOf(results: Results, id: string, known: Record<string, string>) {
    let news = await next(results);
    for (; news.editJob.id !== id; news = await next(results)) {
      expect(known).toHaveProperty([news.editJob.id], news.editJob.status);
    }
    return news;
  }
  async function all(results: Results) {
    const events = [];
    for await (const { data, errors } of results) {
      expect(errors).toBeUndefined();
      events.push(data.editJob ?? data.editJobs);
    }
    return events;
  }

  describe.each(SUBSCRIBERS)('by $name', (subscriber) => {
    beforeAll(() => start({ MAX_CONCURRENT_EDITS: '1' }));
    afterEach(endAll);
    afterAll(() => app.stop());

    test('tells of the state as it is, each change and each image on the way, and ends', async () => {
      const { requests, paid } = app.sandbox.stats();
      const blocker = await block();
      const id = await edit({ partialImages: 3 });
      const results = watch(subscriber, WATCH, { id });
      expect(await next(results)).toMatchObject({
        __typename: 'EditJobSnapshot',
        editJobId: id,
        editJob: { id, status: 'QUEUED', partialImages: [] },
      });
      app.sandbox.faults.push({ kind: 'delay', delayMs: 1_000 });
      await cancel(blocker);
      // Of what was told before it subscribed it may hear again.
      const events = (await all(results)).filter(({ editJob }) => editJob.status !== 'QUEUED');

      expect(events.map(({ __typename, index }) => [__typename, index])).toEqual([
        ['EditJobChanged', undefined],
        ['EditJobPartialImageReceived', 0],
        ['EditJobPartialImageReceived', 1],
        ['EditJobPartialImageReceived', 2],
        ['EditJobChanged', undefined],
      ]);
      expect(events[0].editJob.status).toBe('RUNNING');
      const last = events.at(-1).editJob;
      expect(last).toMatchObject({ status: 'SUCCEEDED', outputImages: [{}] });
      const partials = events.slice(1, 4).map(({ image }) => image);
      expect(last.partialImages.map((image: { id: string }) => image.id)).toEqual(
        partials.map((image) => image.id),
      );
      for (const image of partials) {
        expect(image).toMatchObject({ format: 'PNG', width: 1024 });
        const response = await fetch(image.url);
        expect(response.headers.get('content-type')).toBe('image/png');
        expect((await response.bytes()).length).toBeGreaterThan(1_000);
      }
      expect(app.sandbox.stats()).toMatchObject({ requests: requests + 2, paid: paid + 2 });
    });

    test('ends at once after the state of a final job', async () => {
      const id = await edit({ wait: 30 });
      const events = await all(watch(subscriber, WATCH, { id }));
      expect(events).toMatchObject([
        { __typename: 'EditJobSnapshot', editJob: { status: 'SUCCEEDED' } },
      ]);
    });

    test.each(['nonsense', Buffer.from(`EditJob:${crypto.randomUUID()}`).toString('base64url')])(
      'answers NOT_FOUND for an id that does not exist, and streams nothing: %s',
      async (id) => {
        const [first, ...others] = await Array.fromAsync(watch(subscriber, WATCH, { id }));
        expect(first?.data ?? null).toBeNull();
        expect(first?.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
        expect(others).toEqual([]);
      },
    );

    test('follows all of the viewer’s edits, and does not end with them', async () => {
      const blocker = await block();
      const results = watch(subscriber, WATCH_ALL, { filter: null });
      expect(await next(results)).toMatchObject({
        __typename: 'EditJobSnapshot',
        editJob: { id: blocker, status: 'RUNNING' },
      });
      const second = await edit({ prompt: 'behind it' });
      const queued = await nextOf(results, second, { [blocker]: 'RUNNING' });
      expect(queued).toMatchObject({ editJob: { status: 'QUEUED' } });
      await cancel(blocker);
      const seen: Record<string, string> = {};
      while (seen[blocker] !== 'CANCELED' || seen[second] !== 'SUCCEEDED') {
        const { editJob } = await next(results);
        seen[editJob.id] = editJob.status;
      }
      const third = await edit({ prompt: 'after all that' });
      await nextOf(results, third, seen);
    });

    test('tells only of those that the filter lets through', async () => {
      const model = 'gpt-image-1-mini';
      const blocker = await block({ model });
      const results = watch(subscriber, WATCH_ALL, { filter: { model: [model] } });
      expect(await next(results)).toMatchObject({ editJob: { id: blocker } });
      await edit({ prompt: 'not this one' });
      const wanted = await edit({ prompt: 'this one', model });
      const news = await nextOf(results, wanted, { [blocker]: 'RUNNING' });
      expect(news).toMatchObject({ __typename: 'EditJobChanged' });
    });
  });

  describe.each(SUBSCRIBERS)('by $name', (subscriber) => {
    beforeEach(() => start({ MAX_CONCURRENT_EDITS: '1' }));
    afterEach(() => app.stop());

    test('of an edit hears how it ends when the service stops, or that it stops', async () => {
      const results = watch(subscriber, WATCH, { id: await block() });
      await next(results);
      const rest = Array.fromAsync(results).catch((error: unknown) => error);
      await app.restart();
      const ended = lastOf(await rest);
      const editJob = { status: 'OUTCOME_UNKNOWN' };
      expect([
        expect.objectContaining({ code: 1001 }),
        expect.any(Error),
        expect.objectContaining({
          data: { editJob: expect.objectContaining({ editJob: expect.objectContaining(editJob) }) },
        }),
      ]).toContainEqual(ended);
    });

    test('of all edits ends with the service as a lost connection does, not as if it were complete', async () => {
      await block();
      const results = watch(subscriber, WATCH_ALL, {});
      await next(results);
      const rest = Array.fromAsync(results).catch((error: unknown) => error);
      await app.restart();
      const ended = await rest;
      if (subscriber === WS) expect(ended).toMatchObject({ code: 1001 });
      else expect(ended).toBeInstanceOf(Error);
    });
  });
});

function lastOf(results: unknown): unknown {
  return Array.isArray(results) ? results.at(-1) : results;
}
