import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { gatewayContract } from '../contracts/gateway.ts';
import { eventually } from '../support/eventually.ts';
import { type Federation, type Gateway, startFederation } from '../support/federation.ts';
import { EDIT } from '../support/operations.ts';
import { type Results, SSE, WS } from '../support/subscriptions.ts';
import { noisePng, png } from '../support/test-images.ts';

const WATCH = /* GraphQL */ `
  subscription ($id: ID!) {
    editJob(id: $id) {
      __typename
      editJob { status owner { name } outputImages { id } }
      ... on EditJobPartialImageReceived { image { url } }
    }
  }
`;

describe.runIf(inject('hasGateways'))('through Hive Gateway', () => {
  let federation: Federation;
  const gateways: Partial<Record<'sse' | 'ws', Gateway>> = {};
  beforeAll(async () => {
    federation = await startFederation({ MAX_CONCURRENT_EDITS: '1', SHUTDOWN_GRACE_SECONDS: '0' });
    gateways.sse = await federation.hive('sse');
    gateways.ws = await federation.hive('ws');
  }, 120_000);
  afterAll(() => federation?.stop());

  function gatewayWith(subscriptions: 'sse' | 'ws'): Gateway {
    const gateway = gateways[subscriptions];
    if (gateway === undefined) throw new Error('not started');
    return gateway;
  }
  gatewayContract(() => ({ app: federation.app, gateway: gatewayWith('sse') }));

  test('refuses a request of more than 25 MB, which POST /images takes', async () => {
    const image = new Blob([new Uint8Array(await noisePng(25_000_001))]);
    const form = new FormData();
    const variables = { input: { images: [{ file: null }], prompt: 'too large' } };
    form.set('operations', JSON.stringify({ query: EDIT, variables }));
    form.set('map', JSON.stringify({ 0: ['variables.input.images.0.file'] }));
    form.set('0', image, 'a.png');
    const refused = await fetch(`${gatewayWith('sse').url}/graphql`, {
      method: 'POST',
      headers: { 'apollo-require-preflight': 'true' },
      body: form,
    });
    expect(refused.status).toBe(413);
    const taken = await fetch(`${federation.app.url}/images`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: image,
    });
    expect(taken.status).toBe(201);
  });

  describe.each([
    { between: 'sse', client: SSE },
    { between: 'sse', client: WS },
    { between: 'ws', client: SSE },
    { between: 'ws', client: WS },
  ] as const)(
    'with subscriptions by $between to the service, $client.name from the client',
    ({ between, client }) => {
      function watch(id: string): Results {
        const results = client.subscribe(gatewayWith(between).url, WATCH, { id });
        onTestFinished(async () => void (await results.return?.()));
        return results;
      }

      test('tells of an edit as it runs, with what the other subgraph knows, and ends', async () => {
        const { app } = federation;
        const gateway = gatewayWith(between);
        const imageId = await gateway.uploadImage(await png());
        const edit = async (prompt: string, input: object = {}) => {
          const images = [{ id: imageId }];
          const { editJob } = await gateway.edit({ images, prompt, wait: 0, ...input });
          return editJob.id;
        };
        app.sandbox.faults.push({ kind: 'hang' });
        const { requests } = app.sandbox.stats();
        const blocker = await edit('in the way');
        await eventually(() => expect(app.sandbox.stats().requests).toBe(requests + 1));
        const id = await edit('watched', { partialImages: 2 });

        const results = watch(id);
        const { value: current } = await results.next();
        expect(current).toEqual({
          data: {
            editJob: {
              __typename: 'EditJobSnapshot',
              editJob: { status: 'QUEUED', owner: { name: 'Ada' }, outputImages: [] },
            },
          },
        });
        app.sandbox.faults.push({ kind: 'delay', delayMs: 500 });
        await gateway.query(
          'mutation ($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }',
          {
            id: blocker,
          },
        );
        const told = await Array.fromAsync(results, ({ data }) => data.editJob);
        // Of what was told before it subscribed it may hear again.
        const events = told.filter(({ editJob }) => editJob.status !== 'QUEUED');
        expect(events.map(({ __typename }) => __typename)).toEqual([
          'EditJobChanged',
          'EditJobPartialImageReceived',
          'EditJobPartialImageReceived',
          'EditJobChanged',
        ]);
        expect((await fetch(events[1].image.url)).status).toBe(200);
        expect(events.at(-1).editJob).toEqual({
          status: 'SUCCEEDED',
          owner: { name: 'Ada' },
          outputImages: [{ id: expect.any(String) }],
        });
      });

      test('tells that there is no such edit', async () => {
        const [refused, ...others] = await Array.fromAsync(watch('nonsense'));
        expect(refused?.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
        expect(others).toEqual([]);
      });
    },
  );
});
