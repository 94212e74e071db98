import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { generateApiKey } from '../../src/auth/api-keys/key-format.ts';
import { ADMIN, bearer, type KeyInput, startAccessApp } from '../support/access-app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

type AccessApp = Awaited<ReturnType<typeof startAccessApp>>;

const VIEWER = '{ viewer { id isAdmin } }';

describe.runIf(hasDatabase)('a service with authentication', () => {
  let service: AccessApp;
  beforeAll(async () => {
    service = await startAccessApp();
  });
  afterAll(() => service?.app.stop());

  /** About viewers; the service makes others by itself. */
  const statements = () =>
    service.app.logged.filter((line) => /"sql":.*(ApiKey|Owner\\")/.test(line)).length;

  describe('without credentials', () => {
    test.each([
      ['POST', '/graphql'],
      ['GET', '/graphql?query={viewer{id}}'],
      ['POST', '/graphql/subgraph'],
      ['GET', '/schema.graphql'],
      ['POST', '/images'],
      ['GET', '/images/SW1hZ2U6MDE5YTAwMDA'],
      ['GET', '/export/edits'],
      ['GET', '/somewhere'],
      ['DELETE', '/graphql'],
    ])('%s %s is rejected with 401, and no statement is made', async (method, path) => {
      const before = statements();
      const response = await fetch(service.app.url + path, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(method === 'POST' && {
          body: '{"query":"{ __schema { types { name } } _service { sdl } }"}',
        }),
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="retouch"');
      expect(await response.json()).toMatchObject({
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      });
      expect(statements()).toBe(before);
    });

    test('the health, the page and its files are served', async () => {
      for (const path of ['/health/live', '/health/ready']) {
        expect((await service.get(path)).status).toBe(200);
      }
      const page = await service.get('/graphql', { accept: 'text/html' });
      expect([200, 503]).toContain(page.status);
      expect([404, 503]).toContain((await service.get('/graphiql/assets/x.js')).status);
    });

    test.each(['/images', '/graphql'])(
      'an upload of 400 MB to %s is rejected before a byte of it is read',
      async (path) => {
        const req = httpRequest(service.app.url + path, {
          method: 'POST',
          headers: {
            'content-type': 'image/png',
            'content-length': 400 * 1024 * 1024,
            expect: '100-continue',
          },
        });
        onTestFinished(() => void req.destroy());
        let isContinued = false;
        req.once('continue', () => {
          isContinued = true;
        });
        req.flushHeaders();
        const [response] = await once(req, 'response');
        expect(response.statusCode).toBe(401);
        expect(isContinued).toBe(false);
      },
    );

    test.each([['Basic YW5uOnB3'], ['Bearer'], ['Bearer a b'], ['rt_live_x']])(
      'Authorization: %s is rejected, also beside the header of a trusted proxy',
      async (authorization) => {
        expect((await service.query({ authorization }, VIEWER)).status).toBe(401);
        expect((await service.query({ ...ADMIN, authorization }, VIEWER)).status).toBe(401);
      },
    );
  });

  describe('an API key', () => {
    test('is accepted as a Bearer token and as x-api-key, for its owner', async () => {
      const { key } = await service.createKey();
      for (const headers of [bearer(key), { 'x-api-key': key }]) {
        const { status, data } = await service.query(headers, VIEWER);
        expect({ status, data }).toEqual({
          status: 200,
          data: { viewer: { id: 'ann', isAdmin: false } },
        });
      }
    });

    test('is rejected beside a different one, and in a URL', async () => {
      const { key } = await service.createKey();
      const { key: other } = await service.createKey();
      const both = { ...bearer(key), 'x-api-key': other };
      expect((await service.query(both, VIEWER)).status).toBe(401);
      for (const name of ['key', 'api_key', 'access_token', 'x-api-key']) {
        expect((await service.get(`/export/edits?${name}=${key}`)).status).toBe(401);
      }
    });

    test('with a wrong checksum costs no statement, and an unknown one costs one', async () => {
      const { key } = await service.createKey();
      const typo = key.replace(/.$/, (last: string) => (last === 'x' ? 'y' : 'x'));
      const before = statements();
      expect((await service.query(bearer(typo), VIEWER)).status).toBe(401);
      expect(statements()).toBe(before);
      const unknown = bearer(generateApiKey());
      for (let times = 0; times < 3; times += 1) {
        expect((await service.query(unknown, VIEWER)).status).toBe(401);
      }
      expect(statements()).toBe(before + 1);
    });

    test('that is not valid decides, also beside the header of a trusted proxy', async () => {
      const { key } = await service.createKey();
      const typo = key.replace(/.$/, (last: string) => (last === 'x' ? 'y' : 'x'));
      expect((await service.query({ ...ADMIN, ...bearer(typo) }, VIEWER)).status).toBe(401);
    });

    test('that may only read runs no mutation and no upload', async () => {
      const { key } = await service.createKey({ scopes: ['READ'] });
      const { status, errors } = await service.query(
        bearer(key),
        'mutation { deleteEdit(input: { id: "x" }) { __typename } }',
      );
      expect(status).toBe(403);
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
      expect((await service.query(bearer(key), VIEWER)).data).toMatchObject({ viewer: {} });
      const upload = await fetch(`${service.app.url}/images`, {
        method: 'POST',
        headers: { 'content-type': 'image/png', ...bearer(key) },
        body: 'x',
      });
      expect(upload.status).toBe(403);
    });

    test('has its edits use only its models, also when they are tried again', async () => {
      const { key } = await service.createKey({ allowedModels: ['gpt-image-1'] });
      const { key: any } = await service.createKey();
      const good = await service.edit(bearer(key));
      expect(good.job).toMatchObject({ status: 'SUCCEEDED', model: 'gpt-image-1' });
      const model = 'gpt-image-1-mini';
      const bad = await service.edit(bearer(key), 'a hat', { model });
      expect(bad.result).toMatchObject({ __typename: 'InvalidInputError', field: 'model' });
      const { job } = await service.edit(bearer(any), 'a hat', { model });
      const retried = await service.query(
        bearer(key),
        'mutation ($id: ID!) { retryEdit(input: { id: $id }) { __typename ... on Error { message } } }',
        { id: job.id },
      );
      expect(retried.data.retryEdit).toMatchObject({ __typename: 'InvalidInputError' });
      const { data } = await service.query(bearer(key), '{ models { id } }');
      expect(data.models).toEqual([{ id: 'gpt-image-1' }]);
    });

    test('is valid until it expires', async () => {
      const expiresAt = new Date(Date.now() + 1_500).toISOString();
      const { key } = await service.createKey({ expiresAt });
      expect((await service.query(bearer(key), VIEWER)).status).toBe(200);
      await eventually(async () =>
        expect((await service.query(bearer(key), VIEWER)).status).toBe(401),
      );
      const past = await service.createKey({ expiresAt: new Date(0).toISOString() });
      expect(past).toMatchObject({ __typename: 'InvalidInputError' });
    });

    test('stays valid beside the one that replaces it for as long as is asked for', async () => {
      const { id, key } = await service.createKey();
      const rotate = async (previousValidUntil: string | null) => {
        const { data } = await service.query(ADMIN, ROTATE, { id, previousValidUntil });
        return data.rotateApiKey.key as string;
      };
      const second = await rotate(new Date(Date.now() + 3_600_000).toISOString());
      for (const one of [key, second]) {
        expect((await service.query(bearer(one), VIEWER)).status).toBe(200);
      }
      const third = await rotate(null);
      expect((await service.query(bearer(third), VIEWER)).status).toBe(200);
      await eventually(async () => {
        for (const one of [key, second]) {
          expect((await service.query(bearer(one), VIEWER)).status).toBe(401);
        }
      });
    });

    test('is nowhere in the database and in no log line, and its use is recorded', async () => {
      const { key, id } = await service.createKey();
      await service.query(bearer(key), VIEWER);
      expect(service.app.logged.join('')).not.toContain(key);
      await service.app.restart();
      const { data } = await service.query(
        ADMIN,
        'query ($id: ID!) { node(id: $id) { ... on ApiKey { prefix lastUsedAt } } }',
        { id },
      );
      expect(data.node).toEqual({ prefix: key.slice(0, 12), lastUsedAt: expect.any(String) });
      const rows = await service.app.withDatabase(async (prisma) =>
        JSON.stringify([await prisma.apiKey.findMany(), await prisma.auditEvent.findMany()]),
      );
      expect(rows).not.toContain(key);
      expect(rows).not.toContain(key.slice(8, 38));
    });
  });

  describe('a key makes no stronger key', () => {
    test('of a higher scope, for another owner, or for further models', async () => {
      const { key: reader } = await service.createKey({ scopes: ['READ'] });
      const { key: editor } = await service.createKey();
      const { key: limited } = await service.createKey({ allowedModels: ['gpt-image-1'] });
      // A read-only key runs no mutation at all.
      expect(await service.createKey({ scopes: ['READ'] }, bearer(reader))).toMatchObject({
        errors: [{ extensions: { code: 'FORBIDDEN' } }],
      });
      const stronger: [string, KeyInput, string][] = [
        [editor, { scopes: ['ADMIN'] }, 'does not have the scope ADMIN'],
        [editor, { ownerId: 'bob' }, 'for another owner'],
        [limited, { allowedModels: ['gpt-image-1', 'gpt-image-2'] }, 'limited to some models'],
        [limited, {}, 'limited to some models'],
      ];
      for (const [key, input, reason] of stronger) {
        const { errors } = await service.createKey(input, bearer(key));
        expect(errors, JSON.stringify(input)).toMatchObject([
          { message: expect.stringContaining(reason), extensions: { code: 'FORBIDDEN' } },
        ]);
      }
      const weaker = { scopes: ['READ'] as const, allowedModels: ['gpt-image-1'] };
      expect(await service.createKey(weaker, bearer(limited))).toMatchObject({
        key: expect.stringMatching(/^rt_live_/),
      });
    });

    test('by rotating one, or by revoking one', async () => {
      const { id } = await service.createKey({ scopes: ['ADMIN'] });
      const { key: editor } = await service.createKey();
      for (const mutation of [ROTATE, REVOKE]) {
        const { errors } = await service.query(bearer(editor), mutation, { id });
        expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
      }
      const { id: foreign } = await service.createKey({ ownerId: 'bob', scopes: ['READ'] });
      for (const mutation of [ROTATE, REVOKE]) {
        const { data } = await service.query(bearer(editor), mutation, { id: foreign });
        expect(Object.values(data)).toMatchObject([{ __typename: 'NotFoundError' }]);
      }
    });

    test('that lives longer: it ends with the key that created it', async () => {
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      const { key: parent, id } = await service.createKey({ expiresAt });
      const child = await service.createKey({}, bearer(parent));
      expect(child.apiKey).toMatchObject({ expiresAt });
      const grandchild = await service.createKey({}, bearer(child.key));
      await service.query(ADMIN, REVOKE, { id });
      await eventually(async () => {
        for (const key of [parent, child.key, grandchild.key]) {
          expect((await service.query(bearer(key), VIEWER)).status).toBe(401);
        }
      });
    });
  });

  describe('when access ends', () => {
    const WATCH = 'subscription { editJobs { ... on EditJobUpdate { editJob { id } } } }';

    async function openSse(key: string) {
      const response = await fetch(`${service.app.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          ...bearer(key),
        },
        body: JSON.stringify({ query: WATCH }),
      });
      expect(response.status).toBe(200);
      return response;
    }
    async function openSocket(payload: object | null, headers = {}) {
      const socket = new WebSocket(
        `${service.app.url.replace('http', 'ws')}/graphql`,
        'graphql-transport-ws',
        { headers },
      );
      onTestFinished(() => socket.terminate());
      await once(socket, 'open');
      socket.send(JSON.stringify({ type: 'connection_init', ...(payload && { payload }) }));
      return socket;
    }
    const closeCode = async (socket: WebSocket) => (await once(socket, 'close'))[0];
    const ENDS: [string, (id: string) => Promise<unknown>][] = [
      ['is revoked', (id) => service.query(ADMIN, REVOKE, { id })],
      [
        'belongs to an owner who is disabled',
        () => service.query(ADMIN, DISABLE, { id: 'eve', disabled: true }),
      ],
    ];

    test.each(ENDS)('as the key %s, its streams and sockets are closed', async (_, end) => {
      await service.query(ADMIN, DISABLE, { id: 'eve', disabled: false });
      const { key, id } = await service.createKey({ ownerId: 'eve' });
      const { key: other } = await service.createKey();
      const sse = await openSse(key);
      const others = (await openSse(other)).body?.getReader();
      onTestFinished(async () => void (await others?.cancel()));
      const socket = await openSocket(bearer(key));
      await once(socket, 'message');
      const closed = closeCode(socket);
      const read = sse.text().then(
        () => 'complete',
        () => 'cut',
      );
      await end(id);
      expect(await read).toBe('cut');
      expect(await closed).toBe(4403);
      await eventually(async () =>
        expect([401, 403]).toContain((await service.query(bearer(key), VIEWER)).status),
      );
      // Another owner's stream goes on.
      const { job } = await service.edit(bearer(other));
      let text = '';
      while (!text.includes(job.id)) {
        const { value, done } = (await others?.read()) ?? { done: true };
        expect(done).toBe(false);
        text += Buffer.from(value ?? []).toString();
      }
    });

    test('by its expiry, its streams and sockets are closed', async () => {
      const expiresAt = new Date(Date.now() + 2_000).toISOString();
      const { key } = await service.createKey({ expiresAt });
      const socket = await openSocket({ 'x-api-key': key });
      await once(socket, 'message');
      const closed = closeCode(socket);
      await expect((await openSse(key)).text()).rejects.toThrow();
      expect(await closed).toBe(4403);
    });

    test('a socket is closed with 4401 without credentials, with 4403 with wrong ones', async () => {
      expect(await closeCode(await openSocket(null))).toBe(4401);
      expect(await closeCode(await openSocket({}))).toBe(4401);
      const { key } = await service.createKey();
      expect(await closeCode(await openSocket(bearer(`${key}x`)))).toBe(4403);
      const byHeader = await openSocket(null, bearer(key));
      expect(String((await once(byHeader, 'message'))[0])).toContain('connection_ack');
    });
  });

  describe('the header of a proxy', () => {
    test('names the user once, and not twice', async () => {
      expect((await service.query({ 'x-user': 'zoë' }, VIEWER)).status).toBe(200);
      const { data } = await service.query(
        { 'x-user': Buffer.from('zoë').toString('latin1') },
        VIEWER,
      );
      expect(data.viewer.id).toBe('zoë');
      const req = httpRequest(`${service.app.url}/schema.graphql`, {
        headers: ['x-user', 'ann', 'x-user', 'boss', 'host', 'localhost'],
      });
      req.end();
      const [response] = await once(req, 'response');
      response.resume();
      expect(response.statusCode).toBe(401);
    });
  });
});

describe.runIf(hasDatabase)('the header of a proxy that is not trusted', () => {
  test('names nobody', async () => {
    const service = await startAccessApp({ TRUSTED_PROXIES: '192.0.2.1' });
    onTestFinished(() => service.app.stop());
    expect((await service.query(ADMIN, VIEWER)).status).toBe(401);
  });
});

const ROTATE = /* GraphQL */ `
  mutation ($id: ID!, $previousValidUntil: DateTime) {
    rotateApiKey(input: { id: $id, previousValidUntil: $previousValidUntil }) {
      __typename
      ... on RotateApiKeyPayload { key }
      ... on Error { message }
    }
  }
`;
const REVOKE = /* GraphQL */ `
  mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename ... on Error { message } } }
`;
const DISABLE = /* GraphQL */ `
  mutation ($id: ID!, $disabled: Boolean) {
    updateOwner(input: { id: $id, disabled: $disabled }) { __typename ... on Error { message } }
  }
`;
