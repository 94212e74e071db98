import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { costLimitOf, setLimit } from '../support/limit-operations.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

/** Of an edit with gpt-image-1: 3 text, 323 image and 1,056 output tokens. */
const USAGE = {
  total_tokens: 1_382,
  input_tokens: 326,
  output_tokens: 1_056,
  input_tokens_details: { text_tokens: 3, image_tokens: 323 },
};
const TOKENS = { totalTokens: 1_382, inputTokens: 326, outputTokens: 1_056 };

describe.runIf(hasDatabase)('a paid response', () => {
  let app: TestApp;
  let upstream: FakeUpstream;
  let picture: Buffer;
  let b64_json: string;

  /** Before the test. */
  let before: { posts: number; gets: number; held: number; spent: number };

  beforeAll(async () => {
    picture = await png(24, 16);
    b64_json = picture.toString('base64');
    upstream = await startFakeUpstream();
    app = await startTestApp({
      EDITS_API_URL: upstream.url,
      DEFAULT_MODEL: 'gpt-image-1',
      MAX_EDIT_ATTEMPTS: '3',
    });
    await setLimit(app, { amount: '50', window: 'TOTAL' });
  });
  beforeEach(async () => {
    upstream.serve = (res) => res.end(picture);
    before = await counted();
  });
  afterAll(async () => {
    await app.stop();
    await upstream.close();
  });

  const counted = async () => {
    const { reserved: held, settled: spent } = await costLimitOf(app);
    const { posts, gets } = upstream;
    return { posts, gets, held: Number(held), spent: Number(spent) };
  };

  const json = (document: object) => (res: ServerResponse) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  };
  const answer = (element: object, usage: unknown = USAGE) => ({
    created: 1,
    data: [element],
    usage,
  });

  async function edit(input: object = {}) {
    const { data, errors } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'a hat', model: 'gpt-image-1', ...input } },
      { 'input.images.0.file': picture },
    );
    expect(errors).toBeUndefined();
    return data.editImage.editJob;
  }

  const sha256 = () => createHash('sha256').update(picture).digest('hex');

  async function expectPaidOnce({ isCharged }: { isCharged: boolean }) {
    const { posts, held, spent } = await counted();
    expect(posts).toBe(before.posts + 1);
    expect({ isHeld: held > before.held, isSpent: spent > before.spent }).toEqual({
      isHeld: !isCharged,
      isSpent: isCharged,
    });
    await eventually(async () => {
      expect(await filesIn(`${app.dir}/staging`)).toEqual([]);
      expect(await filesIn(`${app.dir}/answers`)).toEqual([]);
    });
  }

  test.each<[string, () => FakeUpstream['reply']]>([
    [
      'without its last chunk',
      () =>
        (res, { req }) => {
          res.write(JSON.stringify(answer({ b64_json })), () => req.socket.destroy());
        },
    ],
    [
      'as a stream that is left open',
      () => (res) => {
        const data = JSON.stringify({ type: 'image_edit.completed', b64_json, usage: USAGE });
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(`event: image_edit.completed\ndata: ${data}\n\ndata: [DONE]\n\n`);
      },
    ],
    [
      'with an empty base64 text beside a link',
      () =>
        (res, { origin }) =>
          json(answer({ url: `${origin}/image.png`, b64_json: '', revised_prompt: '' }))(res),
    ],
    [
      'with a data: URL for a link',
      () => json(answer({ url: `data:image/png;base64,${b64_json}` })),
    ],
    [
      'with an empty element beside a good one',
      () => json({ ...answer({}), data: [{ b64_json }, { b64_json: '' }] }),
    ],
  ])('%s is stored, charged and paid once', async (_, reply) => {
    upstream.reply = reply();
    const job = await edit({ n: 2 });
    expect(job).toMatchObject({ status: 'SUCCEEDED', usage: TOKENS, error: null });
    expect(job.outputImages).toMatchObject([{ sha256: sha256() }]);
    expect(Number(job.cost.amount)).toBeGreaterThan(0);
    await expectPaidOnce({ isCharged: true });
  });

  test('whose link answers 503 at first is stored, charged and paid once', async () => {
    upstream.reply = (res, { origin }) => json(answer({ url: `${origin}/503-once.png` }))(res);
    upstream.serve = (res) => {
      if (upstream.gets === before.gets + 1) res.writeHead(503).end();
      else res.end(picture);
    };
    expect(await edit()).toMatchObject({ status: 'SUCCEEDED', usage: TOKENS });
    await expectPaidOnce({ isCharged: true });
  });

  test('that counts under the names of the chat API is charged by them', async () => {
    const usage = {
      prompt_tokens: 326,
      completion_tokens: 1_056,
      total_tokens: 1_382,
      prompt_tokens_details: { cached_tokens: 0, text_tokens: 3, image_tokens: 323 },
      input_tokens: 0,
      output_tokens: 0,
      input_tokens_details: null,
    };
    upstream.reply = json(answer({ b64_json }, usage));
    const job = await edit();
    expect(job).toMatchObject({ status: 'SUCCEEDED', usage: TOKENS });
    expect(Number(job.cost.amount)).toBeGreaterThan(0);
    await expectPaidOnce({ isCharged: true });
  });

  test('whose usage is all zeros has no usage and no cost, stays reserved, and is kept as it came', async () => {
    const usage = {
      input_tokens: 0,
      input_tokens_details: { image_tokens: 0, text_tokens: 0 },
      output_tokens: 0,
      total_tokens: 0,
    };
    upstream.reply = json(answer({ b64_json }, usage));
    const job = await edit();
    expect(job).toMatchObject({ status: 'SUCCEEDED', usage: null, cost: null });
    expect(job.outputImages).toHaveLength(1);
    await expectPaidOnce({ isCharged: false });
    const { data } = await app.query(
      `mutation { repriceJobs(input: {}) { ... on RepriceJobsPayload { unknown } } }`,
    );
    expect(data.repriceJobs.unknown).toBe(0);
    await app.withDatabase(async (prisma) => {
      const rows = await prisma.tokenUsage.findMany({ where: { totalTokens: null } });
      expect(rows).toMatchObject([{ inputTokens: null, raw: usage }]);
    });
  });

  test('whose image is fetched when the service stops is stored after the next start', async () => {
    upstream.reply = (res, { origin }) => json(answer({ url: `${origin}/late.png` }))(res);
    upstream.serve = (res) => res.writeHead(503).end();
    const { id } = await edit({ wait: 0 });
    await eventually(() => expect(upstream.gets).toBeGreaterThan(before.gets));
    await app.restart();
    const status = async () =>
      (await app.query(`{ node(id: "${id}") { ... on EditJob { status } } }`)).data.node.status;
    expect(await status()).toBe('RUNNING');
    upstream.serve = (res) => res.end(picture);
    await eventually(async () => expect(await status()).toBe('SUCCEEDED'));
    await expectPaidOnce({ isCharged: true });
  });

  test('whose edit is canceled while its image is fetched ends as canceled', async () => {
    upstream.reply = (res, { origin }) => json(answer({ url: `${origin}/late.png` }))(res);
    upstream.serve = (res) => res.writeHead(503).end();
    const { id } = await edit({ wait: 0 });
    await eventually(() => expect(upstream.gets).toBeGreaterThan(before.gets));
    const { data } = await app.query(
      `mutation { cancelEdit(input: { id: "${id}" }) { ... on CancelEditPayload { editJob { status costUnresolved } } } }`,
    );
    expect(data.cancelEdit.editJob).toEqual({ status: 'CANCELED', costUnresolved: true });
    await expectPaidOnce({ isCharged: false });
  });
});
