import { expect, test } from 'vitest';
import { viewerWith } from '../../../src/auth/viewer.ts';
import { createModelsRoute } from '../../../src/http/openai/models-route.ts';
import { createModelList, type ListedModel } from '../../../src/models/model-list.ts';
import { createStandings } from '../../../src/models/model-standing.ts';
import { createKnownModels, createModels } from '../../../src/models/models.ts';
import { send, serve } from '../../support/http.ts';

const LIST = [
  { id: 'gpt-image-2', created: 17, ownedBy: 'system', shutdownDate: '2027-03-01' },
  { id: 'gpt-image-2-2026-04-21', created: 16, ownedBy: 'system', shutdownDate: null },
  { id: 'gpt-image-1', created: null, ownedBy: null, shutdownDate: null },
  { id: 'gpt-5', created: 18, ownedBy: 'system', shutdownDate: null },
];

/** The route, for a viewer, of a service whose only upstream has this list. */
async function start(
  options: {
    list?: readonly ListedModel[] | null;
    allowed?: readonly string[];
    ofViewer?: readonly string[];
    default?: string;
  } = {},
) {
  const { list = LIST, allowed = null, ofViewer = null } = options;
  const current = new Map(list === null ? [] : [['up', createModelList(list)]]);
  const route = createModelsRoute({
    models: createModels({
      known: createKnownModels(),
      default: options.default ?? 'gpt-image-2',
      allowed,
      standings: createStandings({
        upstreams: [{ name: 'up', models: null, isOpenAi: false }],
        lists: { current: () => current },
      }),
    }),
  });
  const viewer = viewerWith({
    ownerId: 'me',
    scopes: ['READ'],
    allowedModels: ofViewer,
    credential: { kind: 'NONE' },
  });
  const { url } = await serve((req, res) => {
    const [, id] = /^\/v1\/models\/(.+)$/.exec(req.url ?? '') ?? [];
    route(req, res, id === undefined ? null : decodeURIComponent(id), { viewer });
  });
  const get = async (path = '') => {
    const { status, headers, body } = await send(`${url}/v1/models${path}`);
    return { status, headers, body: JSON.parse(body.toString()) };
  };
  return {
    url: `${url}/v1/models`,
    get,
    ids: async () => (await get()).body.data.map(({ id }: { id: string }) => id),
  };
}

test('the list has the known models that the upstream lists, with their snapshots', async () => {
  const { get } = await start();
  const { status, headers, body } = await get();
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'private, no-store',
  });
  expect(body).toEqual({
    object: 'list',
    data: [
      {
        id: 'gpt-image-1',
        object: 'model',
        created: 0,
        owned_by: 'openai',
        shutdown_date: '2026-10-23',
      },
      {
        id: 'gpt-image-2',
        object: 'model',
        created: 17,
        owned_by: 'system',
        shutdown_date: '2027-03-01',
      },
      {
        id: 'gpt-image-2-2026-04-21',
        object: 'model',
        created: 16,
        owned_by: 'system',
        shutdown_date: null,
      },
    ],
  });
});

test('while no list is known, the list has all known models', async () => {
  const { ids } = await start({ list: null });
  expect(await ids()).toEqual([...createKnownModels().all.keys()]);
});

test('the list has what both the server and the viewer’s key allow', async () => {
  const { ids } = await start({
    allowed: ['gpt-image-1', 'gpt-image-2'],
    ofViewer: ['gpt-image-2', 'gpt-image-2.5-flare'],
    list: null,
  });
  expect(await ids()).toEqual(['gpt-image-2']);
  const snapshot = await start({ ofViewer: ['gpt-image-2-2026-04-21'] });
  expect(await snapshot.ids()).toEqual(['gpt-image-2-2026-04-21']);
});

test('the list has models that nobody knows if a person named them, but not if they are gone', async () => {
  const named = await start({ list: null, default: 'house', ofViewer: ['house', 'own'] });
  expect(await named.ids()).toEqual(['house', 'own']);
  expect((await named.get('/own')).body.id).toBe('own');
  const gone = await start({ default: 'house', ofViewer: ['house'] });
  expect(await gone.ids()).toEqual([]);
});

test('one model is found by its name, also a snapshot that no list has to have', async () => {
  const { get } = await start({ list: null });
  const { body } = await get('/gpt-image-2');
  expect(body).toMatchObject({ id: 'gpt-image-2', object: 'model', created: 0 });
  expect((await get('/gpt-image-2-2030-01-01')).status).toBe(200);
});

test.each([
  ['unknown', 'nobody%2Fknows', {}],
  ['a model of another kind', 'gpt-5', {}],
  ['a built-in property', '__proto__', {}],
  ['not allowed by the server', 'gpt-image-2', { allowed: ['gpt-image-1'] }],
  ['not allowed by the key', 'gpt-image-2', { ofViewer: ['gpt-image-1'] }],
  ['no longer listed', 'gpt-image-2.5-flare', {}],
])('a model that is %s is not found', async (_, id, options) => {
  const { get } = await start(options);
  const { status, headers, body } = await get(`/${id}`);
  expect(status).toBe(404);
  expect(headers['cache-control']).toBe('no-store');
  expect(body.errors).toEqual([
    {
      message: `The model ${JSON.stringify(decodeURIComponent(id))} does not exist or you do not have access to it.`,
      extensions: { code: 'MODEL_NOT_FOUND', field: 'model' },
    },
  ]);
});

test('HEAD gets the head only, and other methods are rejected', async () => {
  const { url } = await start();
  const head = await send(url, { method: 'HEAD' });
  expect([head.status, head.body.length]).toEqual([200, 0]);
  expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
  for (const method of ['POST', 'DELETE']) {
    const rejected = await send(url, { method });
    expect([rejected.status, rejected.headers.allow]).toEqual([405, 'GET, HEAD']);
  }
});
