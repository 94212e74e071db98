import OpenAI, { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultInput } from '../../../src/sandbox/faults.ts';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { hasDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { setLimit } from '../../support/limit-operations.ts';
import { editOf, openaiClient, rawEdit } from '../../support/openai-client.ts';
import { mask as drawMask, png } from '../../support/test-images.ts';
import { CLIENTS } from './receive/client-requests.ts';

const file = (bytes: Uint8Array, name = 'image.png') =>
  new File([new Uint8Array(bytes)], name, { type: 'image/png' });

describe.runIf(hasDatabase)('POST /v1/images/edits', () => {
  let app: TestApp;
  let client: OpenAI;
  beforeAll(async () => {
    app = await startTestApp({ EDITS_API_FIRST_HAND: 'true' });
    client = openaiClient(app.url);
  });
  afterAll(() => app.stop());

  const lastFields = () => new Map(app.sandbox.stats().lastRequests.at(-1)?.fields ?? []);

  test('returns the image, the usage and the parameters that were used', async () => {
    const { data, response } = await client.images.edit(await editOf('a hat')).withResponse();
    const { data: images, created, ...rest } = data;
    expect(images).toEqual([{ b64_json: expect.stringMatching(/^iVBOR/) }]);
    expect(Math.abs(created - Date.now() / 1_000)).toBeLessThan(3_600);
    expect(rest).toEqual({
      background: 'opaque',
      output_format: 'png',
      quality: 'low',
      size: '1024x1024',
      usage: {
        total_tokens: expect.any(Number),
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
        input_tokens_details: { text_tokens: expect.any(Number), image_tokens: expect.any(Number) },
        output_tokens_details: { text_tokens: 0, image_tokens: expect.any(Number) },
      },
    });
    expect(data).toMatchObject({ _request_id: response.headers.get('x-request-id') });
    const id = response.headers.get('x-retouch-edit-id');
    expect(response.headers.get('x-retouch-edit-url')).toBe(`${app.url}/graphql?edit=${id}`);
    expect(Number(response.headers.get('openai-processing-ms'))).toBeGreaterThan(0);
    expect(response.headers.get('content-length')).toMatch(/^\d+$/);
  });

  test('runs the job that GraphQL shows, and a filter finds it by its source', async () => {
    const { response } = await client.images.edit(await editOf('found')).withResponse();
    const id = response.headers.get('x-retouch-edit-id');
    const find = (source: string) =>
      app.query(`{ editJobs(search: "found", filter: { source: ${source} }) { nodes {
        id source status prompt { text } outputImages { bytes } usage { totalTokens } } } }`);
    expect((await find('OPENAI_API')).data.editJobs.nodes).toMatchObject([
      { id, source: 'OPENAI_API', status: 'SUCCEEDED', prompt: { text: 'found' } },
    ]);
    expect((await find('GRAPHQL')).data.editJobs.nodes).toEqual([]);
  });

  test('forwards several images, the mask and every parameter', async () => {
    const image = [file(await png(64, 64)), file(await png(64, 64), 'ünïcode 🎩.png')];
    const mask = file(await drawMask(64, 64));
    const { data } = await client.images.edit({
      model: 'gpt-image-1',
      image,
      mask,
      prompt: 'everything',
      n: 2,
      size: '1536x1024',
      quality: 'low',
      background: 'opaque',
      output_format: 'webp',
      output_compression: 50,
      input_fidelity: 'low',
      user: 'user-7',
      // @ts-expect-error A field that the SDK does not know.
      seed: 7,
      style: { mode: 'flat' },
    });
    expect(data).toHaveLength(2);
    expect(data?.[0]?.b64_json).toMatch(/^UklGR/);
    expect(Object.fromEntries(lastFields())).toMatchObject({
      model: 'gpt-image-1',
      n: '2',
      size: '1536x1024',
      quality: 'low',
      background: 'opaque',
      output_format: 'webp',
      output_compression: '50',
      input_fidelity: 'low',
      seed: '7',
      'style[mode]': 'flat',
    });
    const { data: found } = await app.query(
      '{ editJobs(search: "everything") { nodes { metadata inputImages { id } mask { id } } } }',
    );
    expect(found.editJobs.nodes[0]).toMatchObject({ metadata: { user: 'user-7' } });
    expect(found.editJobs.nodes[0].inputImages).toHaveLength(2);
    expect(found.editJobs.nodes[0].mask).not.toBeNull();
  });

  test('streams partial images, then the image with its usage', async () => {
    const stream = await client.images.edit({
      ...(await editOf('live')),
      stream: true,
      partial_images: 2,
    });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual([
      'image_edit.partial_image',
      'image_edit.partial_image',
      'image_edit.completed',
    ]);
    expect(events).toMatchObject([
      { partial_image_index: 0, size: '1024x1024', quality: 'low', output_format: 'png' },
      { partial_image_index: 1 },
      { size: '1024x1024', usage: { total_tokens: expect.any(Number) } },
    ]);
    for (const { b64_json } of events) expect(b64_json).toMatch(/^iVBOR/);
  });

  test('streams without partial images, too, and then asks the upstream for no stream', async () => {
    const stream = await client.images.edit({ ...(await editOf('quiet')), stream: true });
    const events = [];
    for await (const event of stream) events.push(event.type);
    expect(events).toEqual(['image_edit.completed']);
    expect(lastFields().has('stream')).toBe(false);
  });

  test('takes JSON with data URLs and with ids of stored images', async () => {
    const bytes = await png(64, 64);
    const post = (image: object) =>
      fetch(`${app.url}/v1/images/edits`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ images: [image], prompt: 'json', quality: 'low' }),
      });
    const response = await post({ image_url: `data:image/png;base64,${bytes.toString('base64')}` });
    expect(response.status).toBe(200);
    const { data } = await app.query(
      '{ editJobs(search: "json") { nodes { inputImages { id } } } }',
    );
    const [{ id }] = data.editJobs.nodes[0].inputImages;
    expect((await post({ file_id: id })).status).toBe(200);
    const missing = await post({ file_id: 'SW1hZ2U6eA' });
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  test.each(Object.entries(CLIENTS))('serves %s', async (_, send) => {
    const { paid } = app.sandbox.stats();
    await send(`${app.url}/v1`);
    expect(app.sandbox.stats().paid).toBe(paid + 1);
    expect(lastFields().get('n')).toBe('2');
  });

  test('goes on with the edit of a client that aborts, which gets the image when it asks again', async () => {
    app.sandbox.faults.push({ kind: 'delay', delayMs: 1_000 });
    const { paid } = app.sandbox.stats();
    const abort = new AbortController();
    const aborted = client.images.edit(await editOf('abort'), { signal: abort.signal });
    await eventually(() => expect(app.sandbox.stats().paid).toBe(paid + 1));
    abort.abort();
    await expect(aborted).rejects.toThrow(OpenAI.APIUserAbortError);
    await eventually(() => expect(app.logged.join('')).toContain('client disconnected'));
    const { response } = await client.images.edit(await editOf('abort')).withResponse();
    expect(response.headers.get('x-retouch-attached')).toBe('true');
    expect(app.sandbox.stats().paid).toBe(paid + 1);
  });

  test('reports limits of requests under OpenAI’s names, and limits of money as a spent quota', async () => {
    const limit = (measure: string, window: string, amount: string | null) =>
      setLimit(app, { measure, window, amount });
    await limit('REQUESTS', 'MINUTE', '1000');
    await eventually(async () => {
      const { headers } = await fetch(`${app.url}/v1/models`);
      expect(headers.get('x-ratelimit-limit-requests')).toBe('1000');
      expect(headers.get('x-ratelimit-reset-requests')).toMatch(/^\d+s$/);
      expect(headers.get('ratelimit')).toBeNull();
    });
    await limit('COST', 'MONTH', '0.000001');
    const error = await client.images.edit(await editOf('broke')).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ code: 'insufficient_quota', type: 'insufficient_quota' });
    expect(error.headers.get('x-should-retry')).toBe('false');
    await limit('COST', 'MONTH', null);
  });

  test('is Azure’s API at its path, with the model of the deployment', async () => {
    const azure = new AzureOpenAI({
      endpoint: app.url,
      apiKey: 'k',
      apiVersion: '2026-04-01-preview',
      deployment: 'gpt-image-1-mini',
      maxRetries: 0,
    });
    const { image, prompt } = await editOf('azure');
    const { data } = await azure.images.edit({ image, prompt });
    expect(data).toHaveLength(1);
    expect(lastFields().get('model')).toBe('gpt-image-1-mini');
  });

  test.each<[string, FaultInput, new (...args: never) => Error, number, string]>([
    ['a moderation', { kind: 'moderation' }, OpenAI.BadRequestError, 400, 'moderation_blocked'],
    ['no credit', { kind: 'quota' }, OpenAI.RateLimitError, 429, 'insufficient_quota'],
    ['no model', { kind: 'no_model' }, OpenAI.NotFoundError, 404, 'model_not_found'],
    ['a 502', { kind: 'status', status: 502 }, OpenAI.InternalServerError, 502, 'server_error'],
    ['a broken answer', { kind: 'html' }, OpenAI.InternalServerError, 502, 'broken_answer'],
  ])('maps %s to the SDK’s error', async (name, fault, type, status, code) => {
    app.sandbox.faults.push(fault);
    const error = await client.images.edit(await editOf(name)).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ status, code });
    expect(error.headers.get('x-should-retry')).toBe('false');
    await app.query('mutation { resumeUpstream(input: { name: "default" }) { __typename } }');
  });

  test('ends a stream that has begun with an error event', async () => {
    app.sandbox.faults.push({ kind: 'bad_base64' });
    const edited = client.images.edit({
      ...(await editOf('broken stream')),
      stream: true,
      partial_images: 2,
    });
    const read = async () => {
      for await (const _ of await edited);
    };
    await expect(read()).rejects.toMatchObject({ code: 'broken_answer' });
  });

  test('rejects invalid input with the names of the wire, and no call', async () => {
    const { requests } = app.sandbox.stats();
    const error = await client.images
      .edit({ ...(await editOf('x')), output_compression: 400, output_format: 'jpeg' })
      .then(
        () => expect.unreachable(),
        (reason) => reason,
      );
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param: 'output_compression', type: 'invalid_request_error' });
    expect(app.sandbox.stats().requests).toBe(requests);
  });

  test('shows a page of another site nothing, and runs nothing for it', async () => {
    const { requests } = app.sandbox.stats();
    const { response } = await rawEdit(app.url, 'csrf', { origin: 'https://evil.example' });
    expect((await response).statusCode).toBe(403);
    expect(app.sandbox.stats().requests).toBe(requests);
  });

  test.each(['/v1/images/generations', '/v1/images/variations', '/v1/chat/completions'])(
    'says that %s is not available',
    async (path) => {
      const response = await fetch(app.url + path, { method: 'POST', body: '{}' });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        error: { code: 'unknown_url', message: expect.stringContaining('/v1/images/edits') },
      });
    },
  );

  test('only accepts POST', async () => {
    const response = await fetch(`${app.url}/v1/images/edits`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});
