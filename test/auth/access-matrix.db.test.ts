import {
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isObjectType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROUTES, type RouteName } from '../../src/http/route-table.ts';
import { loadSubgraph, schema } from '../../src/schema/index.ts';
import { ADMIN, bearer, type Headers, startAccessApp } from '../support/access-app.ts';
import { hasDatabase } from '../support/database.ts';
import {
  ACTING_FOR,
  type Ids,
  MUTATIONS,
  PATHS,
  QUERIES,
  type Row,
  SUBSCRIPTIONS,
} from './access-table.ts';
import { fullSelection } from './full-selection.ts';

/** Deep enough for the owner of an image of an edit of a prompt. */
const DEPTH = 2;
/** As deep as one operation may ask. */
const WIDE = ['node', 'nodes', 'editJob'];
/** Of up to 1,000 edits, of which an operation may ask little. */
const LINEAGE = '{ nodes { id metadata outputImages { id } } edges { childId imageId parentId } }';

/** Lists, of which an admin too has only their own. */
const OWN_LISTS = ['editJobs', 'prompts', 'webhooks', 'usage'];
/** What it says of an owner's objects has no ids. */
const NAMES_NOTHING = /^estimateEdit|groupBy: \[METADATA\]/;

const FORBIDDEN = [{ extensions: { code: 'FORBIDDEN' } }];
/** To count the calls of a row. */
const NO_IDS = {} as Ids;

const subgraph = await loadSubgraph();
const TABLES = { Query: QUERIES, Mutation: MUTATIONS, Subscription: SUBSCRIPTIONS };
type Operation = keyof typeof TABLES;

test.each(Object.keys(TABLES) as Operation[])(
  'each field of %s has a row, and no other',
  (name) => {
    const fields = [schema, subgraph].flatMap((one) => Object.keys(fieldsOf(one, name)));
    const served = new Set(fields.filter((field) => !['_entities', '_service'].includes(field)));
    expect(Object.keys(TABLES[name]).sort()).toEqual([...served].sort());
  },
);

test('each mutation that is not for admins, or for keys, can be run for an owner', () => {
  const acting = Object.values(fieldsOf(schema, 'Mutation')).filter(({ args }) => {
    const type = args[0] && getNamedType(args[0].type);
    return isInputObjectType(type) && 'actingFor' in type.getFields();
  });
  const wanted = Object.entries(MUTATIONS).filter(
    ([name, { access }]) => access === 'OWN' && !name.endsWith('ApiKey'),
  );
  expect(acting.map(({ name }) => name).sort()).toEqual(wanted.map(([name]) => name).sort());
  expect(Object.keys(ACTING_FOR).sort()).toEqual(
    wanted
      .map(([name]) => name)
      .filter((name) => name !== 'uploadImage')
      .sort(),
  );
});

function fieldsOf(one: GraphQLSchema, name: Operation) {
  return (one.getType(name) as GraphQLObjectType).getFields();
}

describe.runIf(hasDatabase)('with two owners of equal data', () => {
  let service: Awaited<ReturnType<typeof startAccessApp>>;
  let ann: Owner;
  let bob: Owner;
  let nobody: Headers;
  let revoked: Headers;
  let readOnly: Headers;

  interface Owner {
    readonly headers: Headers;
    readonly ids: Ids;
    /** What only this owner's data contains. */
    readonly marks: readonly string[];
  }

  beforeAll(async () => {
    service = await startAccessApp({ WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' });
    nobody = bearer((await service.createKey({ ownerId: 'nobody' })).key);
    readOnly = bearer((await service.createKey({ ownerId: 'ann', scopes: ['READ'] })).key);
    const { key, id } = await service.createKey({ ownerId: 'ann' });
    revoked = bearer(key);
    await service.query(
      ADMIN,
      'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename } }',
      { id },
    );
    // Their keys are the newest, which lists have on their first page.
    [ann, bob] = [await furnish('ann'), await furnish('bob')];
  });
  afterAll(() => service?.app.stop());

  /** Equal edits, images, prompts, metadata, webhooks and keys; the ids differ. */
  async function furnish(ownerId: string): Promise<Owner> {
    const { key } = await service.createKey({ ownerId });
    const { id: apiKey } = await service.createKey({ ownerId, scopes: ['READ'] });
    const headers = bearer(key);
    const limits = await limit(ownerId, apiKey);
    const { data } = await service.query(headers, WEBHOOK);
    const more = { metadata: { project: 'x' }, outputCompression: 50, outputFormat: 'JPEG' };
    await service.edit(headers, 'a hat', more);
    const { job } = await service.edit(headers, 'a hat', { ...more, partialImages: 1 });
    const id = job.id;
    const retried = await service.query(headers, RETRY, { id });
    const found = await service.query(headers, IDS, { id });
    const webhook = data.createWebhook.webhookEndpoint.id;
    const { deliveries } = found.data.webhooks[0];
    const ids = {
      ownerId,
      job: id,
      image: job.inputImages[0].id,
      output: job.outputImages[0].id,
      prompt: job.prompt.id,
      webhook,
      delivery: deliveries.nodes[0].id,
      apiKey,
    };
    const global = JSON.stringify([job, retried.data, found.data]).match(/"id":"[^"]{40,}"/g) ?? [];
    const marks = [
      ...new Set([...global.map((text) => text.slice(6, -1)), ...Object.values(ids), ...limits]),
    ];
    return { headers, ids, marks: marks.filter((mark) => mark !== ownerId) };
  }

  /** Limits an owner in each way; returns the ids of the limits. */
  async function limit(ownerId: string, apiKey: string): Promise<readonly string[]> {
    const subjects = [
      `{ ownerId: "${ownerId}" }`,
      `{ apiKeyId: "${apiKey}" }`,
      `{ metadata: { key: "project", value: "x", ownerId: "${ownerId}" } }`,
    ];
    const set = subjects.map(async (subject) => {
      const { data } = await service.query(
        ADMIN,
        `mutation { setLimit(input: { subject: ${subject}, measure: EDITS, window: TOTAL, amount: "1000" }) {
          ... on SetLimitPayload { limit { id } }
        } }`,
      );
      return data.setLimit.limit.id as string;
    });
    return Promise.all(set);
  }

  function source(operation: Operation, name: string, call: string): string {
    const field = fieldsOf(schema, operation)[name];
    if (field === undefined) throw new Error(`no field ${name}`);
    const depth = WIDE.includes(name) ? DEPTH - 1 : DEPTH;
    const selection =
      name === 'lineage' ? LINEAGE : fullSelection(schema, getNamedType(field.type), depth);
    const page =
      field.args.some((arg) => arg.name === 'first') && call === '' ? '(first: 2)' : call;
    return `${operation.toLowerCase()} { ${name}${page} ${selection} }`;
  }

  /** What a response contains of an owner's data, besides the ids that the call named. */
  function marksIn(response: unknown, call: string, { marks }: Owner): readonly string[] {
    const text = JSON.stringify(response);
    return marks.filter((mark) => !call.includes(mark) && text.includes(mark));
  }

  const rows = (table: Readonly<Record<string, Row>>) =>
    Object.entries(table).map(([name, row]) => [name, row] as const);

  describe.each(rows(QUERIES))('the query %s', (name, { access, calls }) => {
    test('shows an owner nothing of the other', async () => {
      for (const call of calls(ann.ids)) {
        const response = await service.query(bob.headers, source('Query', name, call));
        expect(marksIn(response, call, ann), call).toEqual([]);
        const own = await service.query(
          bob.headers,
          source('Query', name, calls(bob.ids)[0] ?? ''),
        );
        expect(response.status).toBe(200);
        expect(own.status, JSON.stringify(own.errors)).toBe(200);
        if (access === 'ADMIN') expect(response.errors).toMatchObject(FORBIDDEN);
        // It shows no ids, so that nothing else would tell whose image it is about.
        if (name === 'estimateEdit') expect(response.data[name].__typename).toBe('NotFoundError');
      }
    });

    test('shows the owner their own, also with a key that may only read', async () => {
      for (const call of calls(ann.ids)) {
        const full = await service.query(ann.headers, source('Query', name, call));
        const reading = await service.query(readOnly, source('Query', name, call));
        if (access === 'ADMIN') {
          expect(full.errors).toMatchObject(FORBIDDEN);
        } else {
          expect(full.errors, `${name}${call}`).toBeUndefined();
          expect(reading.errors).toBeUndefined();
          if (access === 'SHARED' || NAMES_NOTHING.test(name + call)) continue;
          expect(marksIn(full.data, '', ann), name + call).not.toEqual([]);
          expect(marksIn(reading.data, '', ann)).toEqual(marksIn(full.data, '', ann));
        }
      }
    });

    test('shows an admin what they ask for, unless it is a list of their own', async () => {
      for (const call of calls(ann.ids)) {
        const { errors, data } = await service.query(ADMIN, source('Query', name, call));
        expect(errors, `${name}${call}`).toBeUndefined();
        if (access === 'SHARED' || NAMES_NOTHING.test(name + call)) continue;
        const shown = marksIn(data, '', ann);
        if (OWN_LISTS.includes(name)) expect(shown, name + call).toEqual([]);
        if (OWN_LISTS.includes(name) || call === '') continue;
        // The audit has the ids as they are stored.
        if (name === 'auditEvents') expect(JSON.stringify(data)).toContain('"ann"');
        else expect(shown, name + call).not.toEqual([]);
      }
    });

    test.runIf(access !== 'SHARED')(
      'counts nothing of others for an owner without data',
      async () => {
        for (const call of calls(ann.ids)) {
          const response = await service.query(nobody, source('Query', name, call));
          expect(marksIn(response, call, ann).concat(marksIn(response, call, bob))).toEqual([]);
          if (access === 'ADMIN') expect(response.errors).toMatchObject(FORBIDDEN);
          if (access !== 'OWN' || ['viewer', 'apiKeys'].includes(name)) continue;
          expect(countsIn(response.data).filter((count) => count !== 0)).toEqual([]);
        }
      },
    );

    test('is rejected for a revoked key, and without one', async () => {
      for (const call of calls(ann.ids)) {
        for (const headers of [revoked, {}]) {
          const { status, data } = await service.query(headers, source('Query', name, call));
          expect([status, data]).toEqual([401, undefined]);
        }
      }
    });
  });

  test('each lookup by id shows an admin and the owner the object, and so proves the others', async () => {
    for (const [name, row] of rows(QUERIES)) {
      if (!['node', 'editJob', 'image', 'lineage'].includes(name)) continue;
      for (const call of row.calls(ann.ids)) {
        for (const headers of [ann.headers, ADMIN]) {
          const { data } = await service.query(headers, source('Query', name, call));
          expect(data[name], name + call).not.toBeNull();
        }
        const { data } = await service.query(bob.headers, source('Query', name, call));
        expect(data[name], name + call).toBeNull();
      }
    }
  });

  describe.each(rows(MUTATIONS))('the mutation %s', (name, { access, calls }) => {
    const namesObjects = calls(NO_IDS).length > 0;
    const isForOwner = name in ACTING_FOR;

    test.runIf(namesObjects)('changes nothing of another owner', async () => {
      const before = await snapshot();
      for (const call of calls(ann.ids)) {
        const response = await service.query(bob.headers, source('Mutation', name, call));
        expect(marksIn(response, call, ann), call).toEqual([]);
        const isForbidden = response.errors?.[0]?.extensions?.code === 'FORBIDDEN';
        const isAbsent = response.data?.[name]?.__typename === 'NotFoundError';
        expect(isForbidden || isAbsent, JSON.stringify(response).slice(0, 300)).toBe(true);
        if (access === 'ADMIN') expect(isForbidden).toBe(true);
      }
      expect(await snapshot()).toEqual(before);
    });

    // uploadImage needs a file: its path below is tried instead.
    test.runIf(namesObjects || isForOwner)(
      'is rejected with a key that may only read, a revoked one, and without one',
      async () => {
        const all = namesObjects ? calls(ann.ids) : [`(input: { ${ACTING_FOR[name]} })`];
        for (const call of all) {
          const reading = await service.query(readOnly, source('Mutation', name, call));
          expect([reading.status, reading.errors[0].extensions.code]).toEqual([403, 'FORBIDDEN']);
          for (const headers of [revoked, {}]) {
            expect((await service.query(headers, source('Mutation', name, call))).status).toBe(401);
          }
        }
      },
    );

    const isChecked = namesObjects && isForOwner;
    test.runIf(isChecked)('of an admin changes nothing of an owner who is not named', async () => {
      const before = await snapshot();
      for (const call of calls(ann.ids)) {
        const response = await service.query(ADMIN, source('Mutation', name, call));
        expect(response.data[name].__typename).toBe('NotFoundError');
      }
      expect(await snapshot()).toEqual(before);
    });
  });

  describe('the subscriptions', () => {
    async function subscribe(headers: Headers, name: string, call: string) {
      const response = await fetch(`${service.app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
        body: JSON.stringify({ query: source('Subscription', name, call) }),
      });
      return response;
    }
    /** The text of a stream up to what it waits for, which ends it. */
    async function readUntil(response: Response, end: string): Promise<string> {
      let text = '';
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk).toString();
        if (text.includes(end)) break;
      }
      return text;
    }

    test('are rejected for a revoked key, and without one', async () => {
      for (const [name, { calls }] of rows(SUBSCRIPTIONS)) {
        for (const call of calls(ann.ids)) {
          for (const headers of [revoked, {}]) {
            expect((await subscribe(headers, name, call)).status).toBe(401);
          }
        }
      }
    });

    test('to an edit find it for its owner, a key that may only read, and admins', async () => {
      const [call = ''] = SUBSCRIPTIONS['editJob']?.calls(ann.ids) ?? [];
      for (const headers of [ann.headers, readOnly, ADMIN]) {
        const text = await (await subscribe(headers, 'editJob', call)).text();
        expect(text).toContain('SUCCEEDED');
      }
      const text = await (await subscribe(bob.headers, 'editJob', call)).text();
      expect(text).toContain('NOT_FOUND');
      expect(marksIn(text, call, ann)).toEqual([]);
    });

    test('to all edits tell an owner, and an admin, of their own only', async () => {
      const streams = await Promise.all(
        [bob.headers, ADMIN].map((headers) => subscribe(headers, 'editJobs', '')),
      );
      const retry = async (headers: Headers, id: string) =>
        (await service.query(headers, RETRY, { id })).data.retryEdit.editJob.id as string;
      const anns = await retry(ann.headers, ann.ids.job);
      const bobs = await retry(bob.headers, bob.ids.job);
      const { job: bosss } = await service.edit(ADMIN, 'of the admin');
      const ends = [bobs, bosss.id];
      for (const [at, stream] of streams.entries()) {
        const text = await readUntil(stream, ends[at] ?? '');
        expect(text).not.toContain(anns);
        expect(marksIn(text, '', ann)).toEqual([]);
      }
    });
  });

  test.each(Object.entries(ACTING_FOR))(
    '%s is run for an owner by admins only',
    async (name, good) => {
      const call = `(input: { ${good}, actingFor: "ann" })`;
      for (const headers of [bob.headers, nobody]) {
        const { errors } = await service.query(headers, source('Mutation', name, call));
        expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
      }
      const unknown = call.replace('"ann"', '"nobody-knows"');
      const { data, errors } = await service.query(ADMIN, source('Mutation', name, unknown));
      expect(JSON.stringify([data, errors])).toContain('nobody-knows');
    },
  );

  test('what an admin does for an owner is the owner’s, and on the record', async () => {
    const call = `(input: { id: "${ann.ids.job}", wait: 60, actingFor: "ann" })`;
    const { data } = await service.query(
      ADMIN,
      `mutation { retryEdit${call} { ... on RetryEditPayload { editJob { id status owner { id } } } } }`,
    );
    expect(data.retryEdit.editJob).toMatchObject({ status: 'SUCCEEDED', owner: { id: 'ann' } });
    const audit = await service.query(
      ADMIN,
      '{ auditEvents(ownerId: "ann", first: 1) { nodes { action actorId ownerId requestId } } }',
    );
    expect(audit.data.auditEvents.nodes).toEqual([
      { action: 'retryEdit', actorId: 'boss', ownerId: 'ann', requestId: expect.any(String) },
    ]);
  });

  describe.each(Object.entries(PATHS))(
    'the path %s',
    (name, { method, of, isRead, status: other }) => {
      const { access } = ROUTES[name as RouteName];
      const isHtml = name === 'page';
      const ask = (headers: Headers, path = of(ann.ids)) =>
        fetch(service.app.url + path, {
          method,
          redirect: 'manual',
          headers: {
            'content-type': name === 'upload' ? 'image/png' : 'application/json',
            ...(isHtml && { accept: 'text/html' }),
            ...headers,
          },
          ...(method === 'POST' && { body: '{"query":"{ viewer { id } __typename }"}' }),
        });

      test('is served without credentials only if its row says so', async () => {
        for (const headers of [{}, revoked]) {
          const { status } = await ask(headers);
          if (access === 'OPEN') expect(status).not.toBe(401);
          else expect(status).toBe(401);
        }
      });

      const hasData = ['image', 'exportEdits'].includes(name);
      test.runIf(hasData)(
        'shows an owner nothing of the other, and an admin what they name',
        async () => {
          const [bobs, anns, admins] = await Promise.all(
            [bob.headers, ann.headers, ADMIN].map((one) => ask(one)),
          );
          const text = Buffer.from(await (bobs as Response).arrayBuffer()).toString('latin1');
          expect(marksIn(text, '', ann)).toEqual([]);
          if (name !== 'image') return;
          expect([bobs?.status, anns?.status, admins?.status]).toEqual([404, 200, 200]);
        },
      );

      const isChecked = access !== 'OPEN';
      test.runIf(isChecked)(
        'is served to a key that may only read if it changes nothing',
        async () => {
          const { status } = await ask(readOnly);
          if (isRead) expect([200, 400, other]).toContain(status);
          else expect(status).toBe(403);
        },
      );
    },
  );

  test('a signed URL shows its image without credentials, and no other one', async () => {
    const { data } = await service.query(ann.headers, `{ image(id: "${ann.ids.image}") { url } }`);
    const { url } = data.image;
    expect((await fetch(url)).status).toBe(200);
    const other = url.replace(ann.ids.image, bob.ids.image);
    expect((await fetch(other)).status).toBe(403);
    expect((await fetch(other, { headers: ADMIN })).status).toBe(403);
  });

  describe('the subgraph', () => {
    test.each([
      ['EditJob', 'job'],
      ['Image', 'image'],
    ] as const)('resolves a reference to %s for its owner and admins only', async (type, id) => {
      const resolve = async (headers: Headers) => {
        const response = await fetch(`${service.app.url}/graphql/subgraph`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({
            query: `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on ${type} ${fullSelection(schema, namedType(type), 1)} } }`,
            variables: { r: [{ __typename: type, id: ann.ids[id] }] },
          }),
        });
        return { status: response.status, ...(await response.json()) };
      };
      expect((await resolve(bob.headers)).data._entities).toEqual([null]);
      expect((await resolve({})).status).toBe(401);
      expect((await resolve(revoked)).status).toBe(401);
      for (const headers of [ann.headers, ADMIN]) {
        expect((await resolve(headers)).data._entities[0]).not.toBeNull();
      }
    });

    test('resolves a user for themselves and admins only', async () => {
      const query =
        '{ _entities(representations: [{ __typename: "User", id: "ann" }]) { ... on User { editJobs(first: 1) { totalCount nodes { id } } } } }';
      const resolve = async (headers: Headers) => {
        const response = await fetch(`${service.app.url}/graphql/subgraph`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ query }),
        });
        return (await response.json()).data._entities[0];
      };
      expect(await resolve(bob.headers)).toBeNull();
      for (const headers of [ann.headers, ADMIN]) {
        expect((await resolve(headers)).editJobs.nodes).toHaveLength(1);
      }
    });
  });

  /** Everything of ann, as an admin sees it. */
  async function snapshot(): Promise<unknown> {
    const { data } = await service.query(
      ADMIN,
      `{ node(id: "${ann.ids.webhook}") { ... on WebhookEndpoint { url disabledAt previousSecretUntil deliveries { totalCount nodes { id } } } }
         limits(ownerId: "ann") { id amount used reserved }
         apiKeys(ownerId: "ann") { nodes { id prefix revokedAt } }
         owners { nodes { id disabledAt user { editJobs(first: 20) { totalCount nodes { id status prompt { text } metadata } } } } }
         job: editJob(id: "${ann.ids.job}") { status outputImages { id } retries { totalCount } } }`,
    );
    const owners = data.owners.nodes.filter(({ id }: { id: string }) => id === 'ann');
    return { ...data, owners };
  }
});

function namedType(name: string): GraphQLObjectType {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} is not an object type`);
  return type;
}

/** The values of all fields that count or add up. */
function countsIn(value: unknown): number[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    /count$|^uses$|^totalTokens$/i.test(name) && typeof inner === 'number'
      ? [inner]
      : countsIn(inner),
  );
}

const WEBHOOK = /* GraphQL */ `
  mutation {
    createWebhook(input: { url: "http://127.0.0.1:9/", events: [EDIT_SUCCEEDED] }) {
      ... on CreateWebhookPayload { webhookEndpoint { id } }
    }
  }
`;
const RETRY = /* GraphQL */ `
  mutation ($id: ID!) {
    retryEdit(input: { id: $id, wait: 60 }) { ... on RetryEditPayload { editJob { id } } }
  }
`;
const IDS = /* GraphQL */ `
  query ($id: ID!) {
    webhooks { id deliveries { nodes { id } } }
    editJob(id: $id) { partialImages { id } outputImages { id } }
  }
`;
