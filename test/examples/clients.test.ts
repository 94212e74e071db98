import { createHash } from 'node:crypto';
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  onTestFinished,
  test,
} from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { EXAMPLE_CLIENTS, type ExampleClient } from '../support/example-clients.ts';
import { importExample } from '../support/examples.ts';
import { png } from '../support/test-images.ts';

describe.runIf(inject('hasExamples'))('Apollo Client with persisted queries', () => {
  test('sends the hash first, then the document with it once, and from then on the hash alone', async () => {
    const app = await startTestApp();
    onTestFinished(() => app.stop());
    const bodies: string[] = [];
    const client = await persistedQueriesClient(`${app.url}/graphql`, (body) => bodies.push(body));
    const { HISTORY } = await importExample('apollo/src/operations.ts');
    for (const _ of [1, 2]) {
      const { data } = await client.query({ query: HISTORY, fetchPolicy: 'network-only' });
      expect(data.editJobs.nodes).toEqual([]);
    }
    const sent = bodies.map((body) => [
      body.includes('persistedQuery'),
      body.includes('query History'),
    ]);
    expect(sent).toEqual([
      [true, false],
      [true, true],
      [true, false],
    ]);
  });
});

describe.runIf(inject('hasExamples'))('an example’s client', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());

  describe.each(EXAMPLE_CLIENTS)('$name', ({ connect }) => {
    let client: ExampleClient;
    beforeEach(async () => {
      client = await connect(`${app.url}/graphql`);
    });
    const image = async () => new File([new Uint8Array(await png())], 'image.png');

    test('uploads, watches the edit with its images on the way, and finds it in the history', async () => {
      app.sandbox.faults.push({ kind: 'delay', delayMs: 500 });
      const prompt = crypto.randomUUID();
      const { editImage } = await client.edit({ prompt, partialImages: 2, wait: 0 }, await image());
      const { id } = editImage.editJob;

      const seen = new Set<string>();
      let outputs: unknown;
      for await (const { editJob: news } of client.watch(id)) {
        const { status, partialImages = [], outputImages } = news.editJob;
        seen.add(status);
        if (news.image || partialImages.length > 0) seen.add('an image on the way');
        if (status === 'SUCCEEDED') {
          outputs = outputImages;
          break;
        }
      }
      expect([...seen].slice(-3)).toEqual(['RUNNING', 'an image on the way', 'SUCCEEDED']);
      expect(outputs).toMatchObject([{ url: expect.stringMatching(/\/images\//) }]);

      const { data } = await app.query(
        'query ($id: ID!) { editJob(id: $id) { prompt { text } inputImages { width height } } }',
        { id },
      );
      expect(data.editJob).toEqual({
        prompt: { text: prompt },
        inputImages: [{ width: 64, height: 48 }],
      });
      const { editJobs } = await client.history();
      expect(editJobs.nodes[0].status).toBe('SUCCEEDED');
    });

    test('is told what is wrong with an input', async () => {
      const { editImage } = await client.edit({ prompt: '', wait: 0 }, await image());
      expect(editImage.message).toMatch(/prompt/i);
    });

    test('is told that there is no such edit to watch', async () => {
      const watching = Array.fromAsync(client.watch('nonsense'));
      await expect(watching).rejects.toThrow('does not exist');
    });
  });
});

/** Reports the body of each request. */
async function persistedQueriesClient(uri: string, onBody: (body: string) => void) {
  const apollo = 'apollo/node_modules/@apollo/client';
  const { ApolloClient, HttpLink, InMemoryCache } = await importExample(`${apollo}/core/index.js`);
  const { PersistedQueryLink } = await importExample(`${apollo}/link/persisted-queries/index.js`);
  const http = new HttpLink({
    uri,
    fetch: (url: string, init: RequestInit) => {
      onBody(String(init.body));
      return fetch(url, init);
    },
  });
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const link = new PersistedQueryLink({ sha256 }).concat(http);
  return new ApolloClient({ link, cache: new InMemoryCache() });
}
