import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { costLimitOf, setLimit } from '../support/limit-operations.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const REREAD = /* GraphQL */ `
  mutation Reread($id: ID!) {
    rereadAnswer(input: { id: $id }) {
      __typename
      ... on RereadAnswerPayload {
        editJob {
          id status hasStoredAnswer costUnresolved finishedAt durationMs
          outputImages { url format }
          usage { totalTokens }
          cost { amount }
          error { code }
          attempts { state errorCode httpStatus upstreamRequestId }
        }
      }
      ... on Error { message }
      ... on JobNotRereadableError { status }
      ... on NotFoundError { resource id }
    }
  }
`;
const JOB = /* GraphQL */ `
  query Job($id: ID!) {
    node(id: $id) {
      ... on EditJob { status hasStoredAnswer finishedAt durationMs error { code } }
    }
  }
`;

describe.runIf(hasDatabase)('rereadAnswer', () => {
  let app: TestApp;
  let upstream: FakeUpstream;
  let picture: Buffer;

  beforeAll(async () => {
    picture = await png(24, 16);
    upstream = await startFakeUpstream();
    app = await startTestApp({
      EDITS_API_URL: upstream.url,
      SECRET_KEY: randomBytes(32).toString('base64'),
    });
    await setLimit(app, { amount: '50', window: 'TOTAL' });
  });
  beforeEach(() => {
    // Not there, and final: not tried again.
    upstream.serve = (res) => res.writeHead(410).end();
    upstream.reply = (res, { origin }) => {
      const data = [{ url: `${origin}/image.png`, b64_json: '' }];
      const usage = {
        total_tokens: 1_382,
        input_tokens: 326,
        output_tokens: 1_056,
        input_tokens_details: { text_tokens: 3, image_tokens: 323 },
      };
      res.writeHead(200, { 'x-request-id': 'req_1' }).end(JSON.stringify({ data, usage }));
    };
  });
  afterAll(async () => {
    await app.stop();
    await upstream.close();
  });

  async function edit(): Promise<string> {
    const { data } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'a hat', model: 'gpt-image-1' } },
      { 'input.images.0.file': picture },
    );
    return data.editImage.editJob.id;
  }
  const reread = async (id: string) => (await app.query(REREAD, { id })).data.rereadAnswer;
  const job = async (id: string) => (await app.query(JOB, { id })).data.node;
  const stored = async () => filesIn(`${app.dir}/blobs/answers`);
  const limit = async () => {
    const { reserved: held, settled: spent } = await costLimitOf(app);
    return { held: Number(held), spent: Number(spent) };
  };

  test('leaves an answer that is still unreadable, then makes one success of it, however many ask', async () => {
    const free = await limit();
    const id = await edit();
    const { posts } = upstream;
    const unknown = await job(id);
    expect(unknown).toMatchObject({
      status: 'OUTCOME_UNKNOWN',
      hasStoredAnswer: true,
      error: { code: 'BROKEN_ANSWER' },
    });
    const reserved = await limit();
    expect(reserved.held).toBeGreaterThan(free.held);

    expect(await reread(id)).toMatchObject({
      __typename: 'AnswerUnreadableError',
      message: expect.stringContaining('answered 410'),
    });
    expect(await job(id)).toEqual(unknown);
    expect(await stored()).toHaveLength(1);
    expect(await filesIn(`${app.dir}/staging`)).toEqual([]);

    upstream.serve = (res) => res.end(picture);
    const all = await Promise.all([1, 2, 3, 4].map(() => reread(id)));
    const [payload, ...others] = all.toSorted((a, b) => b.__typename.localeCompare(a.__typename));
    expect(payload.editJob).toMatchObject({
      status: 'SUCCEEDED',
      hasStoredAnswer: false,
      costUnresolved: false,
      outputImages: [{ format: 'PNG' }],
      usage: { totalTokens: 1_382 },
      error: null,
      attempts: [
        { state: 'SUCCEEDED', errorCode: null, httpStatus: 200, upstreamRequestId: 'req_1' },
      ],
      // It ended then, and took as long as it took.
      finishedAt: unknown.finishedAt,
      durationMs: unknown.durationMs,
    });
    for (const other of others) {
      expect(other).toMatchObject({ __typename: 'JobNotRereadableError', status: 'SUCCEEDED' });
    }
    const [{ url }] = payload.editJob.outputImages;
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(picture);
    const cost = Number(payload.editJob.cost.amount);
    const settled = await limit();
    expect(settled.held).toBeCloseTo(free.held, 6);
    expect(settled.spent).toBeCloseTo(free.spent + cost, 6);
    expect(upstream.posts).toBe(posts);
    await eventually(async () => expect(await stored()).toEqual([]));
    await eventually(async () => expect(await filesIn(`${app.dir}/staging`)).toEqual([]));
  });

  test('is refused for edits of any other status, without an answer, and of nobody', async () => {
    upstream.reply = (res) =>
      res.end(JSON.stringify({ data: [{ b64_json: picture.toString('base64') }] }));
    const succeeded = await edit();
    expect(await reread(succeeded)).toMatchObject({
      __typename: 'JobNotRereadableError',
      status: 'SUCCEEDED',
    });
    upstream.reply = (_, { req }) => req.socket.resetAndDestroy();
    const lost = await edit();
    expect(await job(lost)).toMatchObject({ status: 'OUTCOME_UNKNOWN', hasStoredAnswer: false });
    expect(await reread(lost)).toMatchObject({ __typename: 'AnswerNotFoundError' });
    expect(await reread('nonsense')).toMatchObject({ __typename: 'NotFoundError', id: 'nonsense' });
  });

  test('finds nothing any more once the answer was deleted with its edit', async () => {
    const id = await edit();
    expect(await stored()).toHaveLength(1);
    await app.query(`mutation { deleteEdit(input: { id: "${id}" }) { __typename } }`);
    expect(await reread(id)).toMatchObject({ __typename: 'NotFoundError', id });
    await eventually(async () => expect(await stored()).toEqual([]));
  });

  test('tells webhooks of the success', async () => {
    const endpoint = `https://hooks.example/${randomBytes(4).toString('hex')}`;
    const { data, errors } = await app.query(
      /* GraphQL */ `
        mutation Create($url: String!) {
          createWebhook(input: { url: $url, events: [EDIT_OUTCOME_UNKNOWN, EDIT_SUCCEEDED] }) {
            ... on CreateWebhookPayload { webhookEndpoint { id } }
          }
        }
      `,
      { url: endpoint },
    );
    expect(errors).toBeUndefined();
    const id = await edit();
    upstream.serve = (res) => res.end(picture);
    expect(await reread(id)).toMatchObject({ __typename: 'RereadAnswerPayload' });
    const { data: listed } = await app.query(
      '{ webhooks { id deliveries(first: 10) { edges { node { event editJob { id } } } } } }',
    );
    const webhook = listed.webhooks.find(
      (one: { id: string }) => one.id === data.createWebhook.webhookEndpoint.id,
    );
    const events = webhook.deliveries.edges.map(({ node }: { node: object }) => node);
    expect(events).toHaveLength(2);
    expect(events).toEqual(
      expect.arrayContaining([
        { event: 'EDIT_OUTCOME_UNKNOWN', editJob: { id } },
        { event: 'EDIT_SUCCEEDED', editJob: { id } },
      ]),
    );
  });

  test.runIf(inject('databaseKind') === 'postgres')(
    'works from a process that runs no edits',
    async () => {
      const id = await edit();
      const api = await app.startAnother({ ROLE: 'api' });
      upstream.serve = (res) => res.end(picture);
      const { data } = await createGraphqlClient(() => api.url).query(REREAD, { id });
      expect(data.rereadAnswer.editJob).toMatchObject({
        status: 'SUCCEEDED',
        usage: { totalTokens: 1_382 },
      });
    },
  );
});
