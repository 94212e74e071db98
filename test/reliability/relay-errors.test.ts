import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { costLimitOf, setLimit } from '../support/limit-operations.ts';
import { EDIT } from '../support/operations.ts';
import { type Relay, type RelayResponse, startRelay } from '../support/relay.ts';
import { png } from '../support/test-images.ts';

const UPLOAD =
  'mutation($f: Upload!) { uploadImage(input: { file: $f }) { ... on UploadImagePayload { image { id } } } }';
const UPSTREAMS = '{ upstreams { state reason } }';
const RESUME = 'mutation { resumeUpstream(input: { name: "default" }) { __typename } }';

type Case = readonly [
  what: string,
  response: RelayResponse,
  expected: { status: 'FAILED' | 'OUTCOME_UNKNOWN'; code: string; pauses?: boolean },
];

const error = (
  message: string,
  type: string,
  code: string | null,
  param: string | null = null,
) => ({
  error: { message, type, param, code },
});
const failed = (code: string, pauses = false) => ({ status: 'FAILED' as const, code, pauses });
const unknown = (code: string, pauses = false) => ({
  status: 'OUTCOME_UNKNOWN' as const,
  code,
  pauses,
});

const LOST: readonly Case[] = [
  [
    'a 500 of the relay’s own for a call that it lost',
    { status: 500, body: error('the call did not complete', 'new_api_error', 'do_request_failed') },
    unknown('SERVER_ERROR'),
  ],
  [
    'a 500 in the official shape',
    { status: 500, body: error('The server had an error.', 'server_error', null) },
    unknown('SERVER_ERROR'),
  ],
  [
    'a bare 503 of a proxy',
    { status: 503, body: 'upstream connect error or disconnect/reset before headers' },
    unknown('SERVER_ERROR'),
  ],
  ['a bare 503 of a web server', { status: 503, body: '<h1>503</h1>' }, unknown('SERVER_ERROR')],
  ['a 524 of a CDN', { status: 524, body: '' }, unknown('SERVER_ERROR')],
  ['a 499 of a relay that hung up', { status: 499, body: '' }, unknown('CONNECTION_LOST')],
  [
    'a 200 with an error that is no rejection',
    { status: 200, body: error('upstream error', 'upstream_error', 'bad_response') },
    unknown('SERVER_ERROR'),
  ],
];

const REJECTED: readonly Case[] = [
  [
    'a parameter of the model, blamed on the user',
    {
      status: 400,
      body: error(
        'input_fidelity cannot be used with gpt-image-2.',
        'image_generation_user_error',
        'invalid_input_fidelity_model',
        'input_fidelity',
      ),
    },
    failed('BAD_REQUEST'),
  ],
  [
    'the safety system, in words only',
    {
      status: 400,
      body: error(
        'The safety system rejected this request.',
        'chatanywhere_error',
        '400 BAD_REQUEST',
      ),
    },
    failed('MODERATION_BLOCKED'),
  ],
  [
    'no credit, in words of two languages',
    {
      status: 403,
      body: error(
        '本账户余额不足，无法完成请求。The balance of this account is too low for this request.',
        'chatanywhere_error',
        '403 FORBIDDEN',
      ),
    },
    failed('INSUFFICIENT_QUOTA', true),
  ],
  [
    'no credit, under a code of new-api',
    {
      status: 403,
      body: error('not enough quota left', 'new_api_error', 'insufficient_user_quota'),
    },
    failed('INSUFFICIENT_QUOTA', true),
  ],
  [
    'no credit, with status 200',
    {
      status: 200,
      body: error(
        'No quota left; check plan and billing.',
        'insufficient_quota',
        'insufficient_quota',
      ),
    },
    failed('INSUFFICIENT_QUOTA', true),
  ],
  [
    'no credit, as code and msg with status 200',
    { status: 200, body: { code: 1113, msg: '余额不足', data: null } },
    failed('INSUFFICIENT_QUOTA', true),
  ],
  [
    'a bad request, as success and message with status 200 after blanks',
    { status: 200, body: '\n \n{"success":false,"message":"Invalid size: 7x7","data":[]}' },
    failed('BAD_REQUEST'),
  ],
  [
    'one model, with 403',
    {
      status: 403,
      body: error(
        'This organization must be verified before it may use the model gpt-image-2.',
        'invalid_request_error',
        null,
      ),
    },
    failed('MODEL_NOT_FOUND'),
  ],
  [
    'a model without a channel, with 503',
    { status: 503, body: error('当前分组 default 下对于模型 x 无可用渠道', 'new_api_error', null) },
    failed('MODEL_NOT_FOUND'),
  ],
  [
    'a firewall’s page with 403, which may be about the prompt',
    { status: 403, body: '<html>Request blocked.</html>' },
    failed('FORBIDDEN'),
  ],
  [
    'a key that has expired, with 403',
    { status: 403, body: error('该令牌已过期', 'new_api_error', '') },
    failed('AUTHENTICATION_FAILED', true),
  ],
  [
    'a bad request in words that a database does not store',
    { status: 400, body: error('bad\0 size \ud83d', 'x', 'invalid_value') },
    failed('BAD_REQUEST'),
  ],
  [
    'a redirect',
    { status: 308, headers: { location: 'https://relay.example/v1/images/edits' } },
    failed('BAD_REQUEST'),
  ],
];

describe.runIf(hasDatabase)('an edit behind a relay that returns', () => {
  let relay: Relay;
  let app: TestApp;
  let imageId: string;
  let response: RelayResponse | null = null;

  beforeAll(async () => {
    relay = await startRelay(() => response);
    app = await startTestApp({
      EDITS_API_URL: relay.url,
      EDITS_API_FIRST_HAND: '',
      MAX_EDIT_ATTEMPTS: '3',
    });
    const { data } = await app.upload(UPLOAD, { f: null }, { f: await png() });
    imageId = data.uploadImage.image.id;
    await setLimit(app, { amount: '100', window: 'TOTAL' });
  });
  afterAll(async () => {
    await app.stop();
    await relay.stop();
  });

  async function edit(returned: RelayResponse | null) {
    response = returned;
    const { data } = await app.query(EDIT, {
      input: { images: [{ id: imageId }], prompt: 'p', wait: 30 },
    });
    return data.editImage.editJob;
  }
  const held = async () => Number((await costLimitOf(app)).reserved);

  test.each([...LOST, ...REJECTED])('%s', async (_, returned, { status, code, pauses }) => {
    const before = { posts: relay.posts, held: await held() };
    const job = await edit(returned);
    expect(job).toMatchObject({ status, error: { code, retryable: false }, outputImages: [] });
    expect(relay.posts - before.posts).toBe(1);
    // Only what may have been paid stays reserved.
    if (status === 'OUTCOME_UNKNOWN') expect(await held()).toBeGreaterThan(before.held);
    else expect(await held()).toBe(before.held);

    const [upstream] = (await app.query(UPSTREAMS)).data.upstreams;
    expect(upstream.state).toBe(pauses ? 'PAUSED' : 'READY');
    if (pauses) await app.query(RESUME);
    expect((await edit(null)).status).toBe('SUCCEEDED');
  });

  test('what the upstream said is shown', async () => {
    const { error: shown } = await edit({ status: 400, body: { detail: 'no hats, please' } });
    expect(shown.message).toBe('The upstream returned 400: no hats, please');
    const redirect = await edit({ status: 302, headers: { location: '/elsewhere' } });
    expect(redirect.error.message).toContain('Location: /elsewhere');
    expect(redirect.error.message).toContain('EDITS_API_URL');
  });

  test('images beside words that a database does not store are stored', async () => {
    const image = (await png()).toString('base64');
    const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3, note: 'a\0b' };
    const body = { data: [{ b64_json: image, revised_prompt: '\ud83d\0' }], size: '1\0', usage };
    expect(await edit({ status: 200, body })).toMatchObject({
      status: 'SUCCEEDED',
      usage: { totalTokens: 3 },
    });
  });

  test('images beside an error are stored', async () => {
    const image = (await png()).toString('base64');
    const body = { ...error('m', 't', 'insufficient_quota'), data: [{ b64_json: image }] };
    expect(await edit({ status: 200, body })).toMatchObject({ status: 'SUCCEEDED', error: null });
  });
});
