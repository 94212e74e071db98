import { describe, expect, it } from 'vitest';
import { errorInAnswer, errorOfAnswer } from '../../../src/edits-api/answer/answer-errors.ts';
import { parseRetryAfter } from '../../../src/net/retry-after.ts';

const head = { upstreamRequestId: 'req_1', retryAfterSeconds: null };
const RELAY = { firstHand: false };
const FIRST_HAND = { firstHand: true };

const textOf = (said: unknown) => (typeof said === 'string' ? said : JSON.stringify(said));

function errorOf(httpStatus: number, said: unknown, context = RELAY) {
  return errorOfAnswer({ ...head, httpStatus }, textOf(said), context);
}

const api = (code: string | null, type = 'invalid_request_error') => ({
  error: { message: 'No.', type, code, param: null },
});
/** As a relay repeats it: the code is the status. */
const words = (message: string, status = 400, type = 'chatanywhere_error') => ({
  error: { message, type, param: null, code: `${status} BAD_REQUEST` },
});

describe('a response with an error status', () => {
  it.each([
    [400, api('moderation_blocked'), 'MODERATION_BLOCKED', 'refused'],
    [400, api('content_policy_violation'), 'MODERATION_BLOCKED', 'refused'],
    [422, api('moderation_blocked'), 'MODERATION_BLOCKED', 'refused'],
    [413, api(null, 'image_generation_user_error'), 'BAD_REQUEST', 'refused'],
    [400, api('invalid_value'), 'BAD_REQUEST', 'refused'],
    [400, 'no JSON at all', 'BAD_REQUEST', 'refused'],
    [404, api(null), 'BAD_REQUEST', 'refused'],
    [404, api('model_not_found'), 'MODEL_NOT_FOUND', 'refused'],
    [403, api('model_not_found'), 'MODEL_NOT_FOUND', 'refused'],
    [503, api('model_not_found'), 'MODEL_NOT_FOUND', 'refused'],
    [409, api(null), 'BAD_REQUEST', 'refused'],
    [413, '<h1>Too large</h1>', 'BAD_REQUEST', 'refused'],
    [422, { detail: [{ loc: ['body', 'size'], msg: 'bad' }] }, 'BAD_REQUEST', 'refused'],
    [451, '', 'BAD_REQUEST', 'refused'],
    [501, '<h1>Unsupported method</h1>', 'BAD_REQUEST', 'refused'],
    [401, api('invalid_api_key'), 'AUTHENTICATION_FAILED', 'refused'],
    [401, '', 'AUTHENTICATION_FAILED', 'refused'],
    [402, '', 'INSUFFICIENT_QUOTA', 'refused'],
    [403, '', 'FORBIDDEN', 'refused'],
    [403, '<html>Attention Required! Request blocked.</html>', 'FORBIDDEN', 'refused'],
    [403, { error: { message: 'Forbidden' } }, 'FORBIDDEN', 'refused'],
    [408, api(null), 'TIMEOUT', 'unknown'],
    [424, api(null), 'SERVER_ERROR', 'unknown'],
    [425, '', 'RATE_LIMITED', 'not_processed'],
    [429, api('rate_limit_exceeded'), 'RATE_LIMITED', 'not_processed'],
    [429, '', 'RATE_LIMITED', 'not_processed'],
    [429, '<title>Error 1015</title>', 'RATE_LIMITED', 'not_processed'],
    [429, api('insufficient_quota'), 'INSUFFICIENT_QUOTA', 'refused'],
    [429, api(null, 'insufficient_quota'), 'INSUFFICIENT_QUOTA', 'refused'],
    [400, api('billing_hard_limit_reached'), 'INSUFFICIENT_QUOTA', 'refused'],
    [499, '', 'CONNECTION_LOST', 'unknown'],
    [502, api(null), 'SERVER_ERROR', 'unknown'],
    [504, '', 'SERVER_ERROR', 'unknown'],
    [524, api(null), 'SERVER_ERROR', 'unknown'],
    [529, api('overloaded_error'), 'SERVER_ERROR', 'unknown'],
    [567, '<h1>Restricted Access</h1>', 'SERVER_ERROR', 'unknown'],
    [999, '', 'BROKEN_ANSWER', 'unknown'],
  ])('%i %j is %s, %s, from a relay and first-hand', (status, said, code, outcome) => {
    for (const context of [RELAY, FIRST_HAND]) {
      expect(errorOf(status, said, context)).toMatchObject({
        code,
        outcome,
        httpStatus: status,
        upstreamRequestId: 'req_1',
      });
    }
  });

  it.each([
    [api('do_request_failed', 'new_api_error'), 'SERVER_ERROR'],
    [api(null, 'server_error'), 'SERVER_ERROR'],
    [api('insufficient_user_quota', 'new_api_error'), 'INSUFFICIENT_QUOTA'],
    [words('余额不足', 500), 'SERVER_ERROR'],
  ])('500 %j of a relay leaves the outcome unknown', (said, code) => {
    expect(errorOf(500, said)).toMatchObject({ code, outcome: 'unknown' });
  });

  it('500 means not processed only first-hand and in the official shape of an error', () => {
    const own = { code: 'SERVER_ERROR', outcome: 'not_processed' };
    expect(errorOf(500, api(null, 'server_error'), FIRST_HAND)).toMatchObject(own);
    for (const said of [
      '{"error":"words only"}',
      '{"error":{"message":"of a proxy"}}',
      '{"message":"Internal Server Error"}',
      '{"error":null}',
      '{"error":[]}',
      '<html>',
      '',
    ]) {
      expect(errorOf(500, said, FIRST_HAND)).toMatchObject({ outcome: 'unknown' });
    }
  });

  it('503 means not processed when an API wrote it, or a time is named, or first-hand', () => {
    const unmade = { code: 'SERVER_ERROR', outcome: 'not_processed' };
    const overloaded = words('The server is overloaded.', 503);
    expect(errorOf(503, overloaded)).toMatchObject(unmade);
    for (const bare of ['', '<html>', 'upstream connect error', '{"message":"no peer"}']) {
      expect(errorOf(503, bare)).toMatchObject({ code: 'SERVER_ERROR', outcome: 'unknown' });
      expect(errorOf(503, bare, FIRST_HAND)).toMatchObject(unmade);
      const named = { ...head, httpStatus: 503, retryAfterSeconds: 7 };
      const error = errorOfAnswer(named, bare, RELAY);
      expect(error).toMatchObject({ ...unmade, retryAfterSeconds: 7 });
    }
  });

  it.each([
    words('bad response status code 503: disconnect/reset before headers', 503),
    api('do_request_failed', 'new_api_error'),
    words('context deadline exceeded', 503),
  ])('503 leaves the outcome unknown where a relay reports a call that it lost: %j', (said) => {
    expect(errorOf(503, said)).toMatchObject({ code: 'SERVER_ERROR', outcome: 'unknown' });
  });

  it('repeats what the upstream said', () => {
    expect(errorOf(400, api(null)).message).toBe('The upstream returned 400: No.');
    expect(errorOf(400, { code: 7, msg: '不行' }).message).toBe('The upstream returned 400: 不行');
    expect(errorOf(400, { detail: [{ msg: 'bad size' }] }).message).toContain('bad size');
    expect(errorOf(500, { error: {} }).message).toBe('The upstream returned 500: {"error":{}}');
  });

  it('doubts the URL where a 404 or 405 is not in the words of an edits API', () => {
    expect(errorOf(404, '<h1>Not found</h1>').message).toContain('EDITS_API_URL may be wrong');
    expect(errorOf(405, '').message).toContain('EDITS_API_URL may be wrong');
    expect(errorOf(404, api('model_not_found')).message).toBe('The upstream returned 404: No.');
  });

  it('repeats what a page says, without its tags and scripts', () => {
    const page = '<html><style>p { x }</style><script>y()</script><p>Bad\n\n  gateway</p></html>';
    expect(errorOf(502, page).message).toBe('The upstream returned 502: Bad gateway');
  });

  it.each([301, 302, 307, 308])('%i names its Location and what to set', (status) => {
    const location = 'https://relay.example/v1/images/edits';
    const error = errorOfAnswer({ ...head, httpStatus: status }, '', { ...RELAY, location });
    expect(error).toMatchObject({ code: 'BAD_REQUEST', outcome: 'refused' });
    expect(error.message).toContain(`Location: ${location}`);
    expect(error.message).toContain('EDITS_API_URL');
  });
});

describe('the words of an upstream whose code says nothing', () => {
  it.each([
    [403, '本账户余额不足，无法完成请求。The balance of this account is too low for this request.'],
    [403, 'user quota is not enough (request id: 1)'],
    [403, '用户额度不足, 剩余额度: ＄-0.000002'],
    [401, '该令牌额度已用尽'],
    [400, 'Budget has been exceeded! Current cost: 1.2, Max budget: 1.0'],
    [429, 'You exceeded your current quota, please check your plan and billing details.'],
    [402, 'This request requires more credits, or fewer max_tokens.'],
    [403, 'Sorry, your account balance is insufficient'],
    [400, '您的账户已欠费，请充值后重试'],
    [403, 'There is no credit left on this account.'],
    [403, '预扣费额度失败, 用户[12]剩余额度: ＄0.01, 需要预扣费额度: ＄0.16'],
    [403, '帳戶餘額不足，請先儲值'],
  ])('%i %s: out of credit', (status, message) => {
    expect(errorOf(status, words(message, status))).toMatchObject({
      code: 'INSUFFICIENT_QUOTA',
      outcome: 'refused',
    });
  });

  it.each([
    [400, 'The safety system rejected this request.'],
    [400, 'Your request was rejected as a result of our safety system. safety_violations=[x]'],
    [
      400,
      "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    ],
    [403, 'requires moderation. Your input was flagged for "sexual".'],
    [400, 'litellm.BadRequestError: litellm.ContentPolicyViolationError: AzureException'],
    [400, '<400> InternalError.Algo.DataInspectionFailed: may contain inappropriate content.'],
    [400, '提示词包含敏感词，请修改后重试'],
    [403, '内容违规，已被拦截'],
    [400, '图片审核未通过'],
    [400, 'Your prompt may violate our usage policies.'],
    [400, '您的提示词可能包含不安全内容，请修改后重试'],
    [400, '图片内容不符合社区规范'],
    [400, '由于内容政策限制，无法生成该图片'],
    [400, '生成的图片未通过安全审核'],
    [400, '该请求触发了安全审查机制'],
    [400, '提示詞包含敏感詞彙'],
  ])('%i %s: moderation', (status, message) => {
    expect(errorOf(status, words(message, status))).toMatchObject({
      code: 'MODERATION_BLOCKED',
      outcome: 'refused',
    });
  });

  it.each([
    [403, 'This organization must be verified before it may use the model gpt-image-2.'],
    [404, 'The model `gpt-image-9` does not exist or you do not have access to it.'],
    [503, '当前分组 default 下对于模型 gpt-image-2 无可用渠道 (request id: 2025)'],
    [503, 'No available channel for model gpt-image-2 under group default (distributor)'],
    [403, '该令牌无权使用模型：gpt-image-2'],
    [403, 'Forbidden - key is not authorized to access the requested model.'],
    [400, 'Invalid model name passed in model=gpt-image-9.'],
    [400, '模型 gpt-image-9 不存在'],
    [400, '没有找到模型 gpt-image-9'],
    [503, '模型 gpt-image-1 暂时不可用，当前没有可用渠道'],
    [400, 'openai/gpt-image-9 is not a valid model ID'],
    [404, 'No endpoints found for openai/gpt-image-9.'],
  ])('%i %s: no such model', (status, message) => {
    expect(errorOf(status, words(message, status))).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      outcome: 'refused',
    });
  });

  it.each([
    [401, '无效的令牌 (request id: 1)'],
    [403, '该令牌已过期'],
    [403, '用户已被封禁'],
    [403, '账号因违规已被封禁'],
    [403, '您的 IP 不在令牌允许访问的列表中'],
    [403, 'Your account has been suspended for violating our content policy.'],
    [400, 'API key not valid. Please pass a valid API key.'],
    [403, 'You have insufficient permissions for this operation. Missing scopes: api.model.images'],
  ])('%i %s: the key or the account', (status, message) => {
    expect(errorOf(status, words(message, status))).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      outcome: 'refused',
    });
  });

  it.each([
    [400, 'invalid value for size: width and height must be balanced'],
    [400, "Invalid prompt: 'a sign that says insufficient balance and model not found'"],
    [400, 'The prompt “余额不足 违规” is too long'],
    [400, 'The white balance of the image is too low'],
    [400, 'input_fidelity cannot be used with gpt-image-2.'],
    [400, 'The model gpt-image-2 does not support input_fidelity.'],
    [400, 'The moderation parameter must be auto or low.'],
    [400, 'The user prompt with banned words was not understood.'],
    [400, '图片尺寸不符合规范'],
    [400, '图片格式检查未通过'],
    [400, '图片内容不能为空'],
    [400, '该模型不支持 input_fidelity 参数'],
    [
      403,
      '免费API限制模型输入token小于4096，如有更多需求，请访问 https://example.com 购买付费API。',
    ],
  ])('%i %s: none of these', (status, message) => {
    const code = status === 403 ? 'FORBIDDEN' : 'BAD_REQUEST';
    expect(errorOf(status, words(message, status))).toMatchObject({ code, outcome: 'refused' });
  });

  it('do not count where the error blames a parameter', () => {
    const error = { message: 'insufficient quota of pixels', type: 'x', param: 'size', code: null };
    expect(errorOf(400, { error })).toMatchObject({ code: 'BAD_REQUEST' });
    const model = { error: { ...error, param: 'model', code: 'invalid_value' } };
    expect(errorOf(400, model)).toMatchObject({ code: 'MODEL_NOT_FOUND' });
    // As LiteLLM writes that there is none.
    const none = { error: { ...error, message: 'insufficient quota', param: 'None' } };
    expect(errorOf(400, none)).toMatchObject({ code: 'INSUFFICIENT_QUOTA' });
  });
});

describe('the codes of other servers', () => {
  it.each([
    [403, { error: { message: 'm', code: 'insufficient_user_quota' } }, 'INSUFFICIENT_QUOTA'],
    [403, { code: 'NOT_ENOUGH_BALANCE', message: 'm' }, 'INSUFFICIENT_QUOTA'],
    [400, { error: { code: 'Arrearage', message: 'm' } }, 'INSUFFICIENT_QUOTA'],
    [
      402,
      { error: { code: 402, message: 'Insufficient credits', metadata: {} } },
      'INSUFFICIENT_QUOTA',
    ],
    [429, { error: { code: '1113', message: 'm' } }, 'INSUFFICIENT_QUOTA'],
    [
      400,
      { error: { message: 'm', code: 'content_filter', param: 'prompt' } },
      'MODERATION_BLOCKED',
    ],
    [
      400,
      {
        error: { message: 'm', code: '400', innererror: { code: 'ResponsibleAIPolicyViolation' } },
      },
      'MODERATION_BLOCKED',
    ],
    [
      400,
      { error: { message: 'm', type: 'x', code: null, moderation_details: { categories: [] } } },
      'MODERATION_BLOCKED',
    ],
    [
      500,
      { error: { message: 'm', type: 'new_api_error', code: 'sensitive_words_detected' } },
      'MODERATION_BLOCKED',
    ],
    [400, { error: { code: 'OutputImageSensitiveContentDetected' } }, 'MODERATION_BLOCKED'],
    [400, { code: 'InputImageSensitiveContentDetected.PrivacyInformation' }, 'MODERATION_BLOCKED'],
    [400, { code: 'InternalError.Algo.DataInspectionFailed', message: 'm' }, 'MODERATION_BLOCKED'],
    [404, { error: { code: 'DeploymentNotFound', message: 'm' } }, 'MODEL_NOT_FOUND'],
    [
      401,
      { error: { type: 'key_model_access_denied', message: 'm', code: '401' } },
      'MODEL_NOT_FOUND',
    ],
    [
      403,
      { success: false, errors: [{ code: 'invalid_api_key', message: 'm' }] },
      'AUTHENTICATION_FAILED',
    ],
    [
      400,
      [{ error: { code: 400, status: 'API_KEY_INVALID', message: 'm' } }],
      'AUTHENTICATION_FAILED',
    ],
  ])('%i %j is %s', (status, said, code) => {
    expect(errorOf(status, said)).toMatchObject({ code });
  });
});

describe('an error that a relay repeats inside its own', () => {
  const said = JSON.stringify({
    error: { message: 'Rejected by the safety system.', type: 'x', param: null, code: null },
  });
  it.each([
    { message: 'Provider returned error', code: 400, metadata: { raw: said } },
    { message: 'Provider returned error', code: 400, metadata: { raw: JSON.parse(said) } },
    { message: said, code: '400' },
    { message: `litellm.BadRequestError: OpenAIException - ${said}`, code: '400' },
  ])('means what it means: %j', (error) => {
    expect(errorOf(400, { error })).toMatchObject({ code: 'MODERATION_BLOCKED' });
    const inside = errorInAnswer({ ...head, httpStatus: 200 }, textOf({ error }), RELAY);
    expect(inside).toMatchObject({ code: 'MODERATION_BLOCKED', outcome: 'refused' });
  });

  it('is not seen in a prompt that is repeated', () => {
    const prompt = JSON.stringify({ error: { message: 'm', code: 'insufficient_quota' } });
    const error = { message: `This prompt is not understood: ${prompt}`, code: '400' };
    expect(errorOf(400, { error })).toMatchObject({ code: 'BAD_REQUEST' });
  });

  it.each(['event: error\ndata: ', ': PROCESSING\n\ndata:'])(
    'may come as an event, with any status: %j',
    (start) => {
      const text = `${start}${JSON.stringify(api('insufficient_user_quota'))}\n\ndata: [DONE]\n\n`;
      const error = errorOf(403, text);
      expect(error).toMatchObject({ code: 'INSUFFICIENT_QUOTA' });
      expect(error.message).toBe('The upstream returned 403: No.');
    },
  );
});

describe('an error in a response with status 200', () => {
  const inside = (said: unknown, context = RELAY) =>
    errorInAnswer({ ...head, httpStatus: 200 }, textOf(said), context);

  it.each([
    [{ ...api('insufficient_quota'), data: null }, 'INSUFFICIENT_QUOTA'],
    [{ ...api('insufficient_quota'), data: [] }, 'INSUFFICIENT_QUOTA'],
    [{ error: '余额不足' }, 'INSUFFICIENT_QUOTA'],
    [{ code: 1113, msg: '余额不足', data: null }, 'INSUFFICIENT_QUOTA'],
    [{ code: 1, msg: '余额不足' }, 'INSUFFICIENT_QUOTA'],
    [{ code: 402, message: 'No.' }, 'INSUFFICIENT_QUOTA'],
    [{ success: false, message: 'insufficient credits' }, 'INSUFFICIENT_QUOTA'],
    [{ detail: 'Insufficient balance' }, 'INSUFFICIENT_QUOTA'],
    [{ message: 'Insufficient balance' }, 'INSUFFICIENT_QUOTA'],
    ['Insufficient balance', 'INSUFFICIENT_QUOTA'],
    [`\n\n  \r\n${JSON.stringify(api('insufficient_quota'))}`, 'INSUFFICIENT_QUOTA'],
    [`: PROCESSING\n\n${JSON.stringify(api('insufficient_quota'))}`, 'INSUFFICIENT_QUOTA'],
    [
      { base_resp: { status_code: 1008, status_msg: 'insufficient balance' } },
      'INSUFFICIENT_QUOTA',
    ],
    [{ error: { message: 'The safety system rejected it.' } }, 'MODERATION_BLOCKED'],
    [{ data: [{ error: { code: 'OutputImageSensitiveContentDetected' } }] }, 'MODERATION_BLOCKED'],
    [{ result: 'failed', msg: '余额不足' }, 'INSUFFICIENT_QUOTA'],
    [{ error: 'insufficient_balance', message: 'm' }, 'INSUFFICIENT_QUOTA'],
    [{ error: { message: 'no credit left', url: 'https://x/billing' } }, 'INSUFFICIENT_QUOTA'],
    [{ code: 400, message: 'No.' }, 'BAD_REQUEST'],
    [api('invalid_value'), 'BAD_REQUEST'],
    [{ success: false, message: 'Invalid size: 7x7' }, 'BAD_REQUEST'],
    [{ code: -1, msg: '参数错误' }, 'BAD_REQUEST'],
    [{ error: { message: 'm', code: 'invalid_api_key' } }, 'AUTHENTICATION_FAILED'],
    [{ code: 403, message: 'No.' }, 'FORBIDDEN'],
    [api('model_not_found'), 'MODEL_NOT_FOUND'],
    [
      `data: ${JSON.stringify(api('insufficient_quota'))}\n\ndata: [DONE]\n\n`,
      'INSUFFICIENT_QUOTA',
    ],
    [
      `event: error\ndata: ${JSON.stringify({ type: 'error', ...api('moderation_blocked') })}\n\n`,
      'MODERATION_BLOCKED',
    ],
    ['event: error\ndata: 余额不足\n\n', 'INSUFFICIENT_QUOTA'],
  ])('$0 is rejected as $1', (said, code) => {
    for (const context of [RELAY, FIRST_HAND]) {
      expect(inside(said, context)).toMatchObject({ code, outcome: 'refused', httpStatus: 200 });
    }
  });

  it.each([
    [api(null, 'server_error'), 'SERVER_ERROR'],
    [api('do_request_failed', 'new_api_error'), 'SERVER_ERROR'],
    [{ error: 'invalid response from upstream: connection reset' }, 'SERVER_ERROR'],
    [{ code: 500, message: 'oops' }, 'SERVER_ERROR'],
    [{ code: -1, msg: '生成失败' }, 'SERVER_ERROR'],
    [{ success: false, message: 'try again' }, 'SERVER_ERROR'],
    [{ code: 429, message: 'slow down' }, 'RATE_LIMITED'],
    [`data: ${JSON.stringify(api(null, 'server_error'))}\n\n`, 'SERVER_ERROR'],
  ])('%j of a relay is treated as a 500: unknown, %s', (said, code) => {
    expect(inside(said)).toMatchObject({ code, outcome: 'unknown' });
  });

  it('is treated as a 500 first-hand, too: not processed in the official shape only', () => {
    const own = inside(api(null, 'server_error'), FIRST_HAND);
    expect(own).toMatchObject({ code: 'SERVER_ERROR', outcome: 'not_processed' });
    expect(inside({ code: 500, message: 'm' }, FIRST_HAND)).toMatchObject({ outcome: 'unknown' });
  });

  it('is found after the blanks of many minutes', () => {
    const text = ' \n'.repeat(200_000) + textOf(api('insufficient_quota'));
    expect(inside(text)).toMatchObject({ code: 'INSUFFICIENT_QUOTA', outcome: 'refused' });
  });

  it('leaves the outcome unknown after an image on the way', () => {
    const partial = { type: 'image_edit.partial_image', b64_json: 'iVBO' };
    const stream = [partial, api('moderation_blocked')].map((one) => JSON.stringify(one));
    const error = inside(`data: ${stream.join('\n\ndata: ')}\n\n`, FIRST_HAND);
    expect(error).toMatchObject({ code: 'MODERATION_BLOCKED', outcome: 'unknown' });
  });

  it.each([
    { created: 1, data: [] },
    { code: 10_000, message: 'success', data: { images: ['https://x/i.png'] } },
    { code: 10_000, message: '成功', data: {} },
    { code: 7, msg: 'insufficient balance for a second image', output: [{ url: 'https://x/1' }] },
    { created: 1, data: [{ b64_json: '' }], error: null },
    { code: 0, msg: 'ok', data: [] },
    { code: 200, message: 'success', data: null },
    { data: [{ b64_json: 'broken' }], error: { message: 'm', code: 'insufficient_quota' } },
    {
      data: [{ url: 'data:image/png;base64,iVBO' }],
      error: { message: 'm', code: 'insufficient_quota' },
    },
    '{"error":{"message":"cut',
    '<html><body>余额不足 insufficient balance</body></html>',
    'upstream connect error or disconnect/reset before headers',
    'x'.repeat(2_000),
    '',
    'data: [DONE]\n\n',
  ])('is not seen in %j', (said) => {
    expect(inside(said)).toBeNull();
  });
});

describe('the wait after a rate limit', () => {
  const waitOf = (message: string, more: { retryAfter?: number; reset?: number } = {}) =>
    errorOfAnswer(
      { ...head, httpStatus: 429, retryAfterSeconds: more.retryAfter ?? null },
      textOf(words(message, 429)),
      { ...RELAY, resetSeconds: more.reset ?? null },
    ).retryAfterSeconds;

  it.each([
    ['Too many images per minute: limit 5, used 5, requested 1. Try again in 12s.', 12],
    ['Please try again in 1m30s.', 90],
    ['Please try again in 20ms.', 1],
    ['please slow down and try again after 51.84 seconds.', 52],
    ['Please retry after 30 seconds', 30],
    ['Retry-After: 8', 8],
    ['Please wait 5 minutes before trying again.', 300],
    ['Your limit resets in 1 hour and 2 minutes', 3_720],
    ['requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.', 432],
    ['Please retry in 34.07s.', 35],
    ['请30秒后重试', 30],
    ['请在 1 分 30 秒后重试', 90],
    ['请等待2分钟', 120],
    ['请求过于频繁，請10秒後再試', 10],
    ['每分钟最多5次', null],
    ['1分钟内最多请求5次，请稍后再试', null],
    ['Rate limit reached for images per min. Please try again later.', null],
    ['Try again in 0s.', null],
    ['tokens per min (TPM): Limit 1,000, Used 998, Requested 5.', null],
    ['You have reached your limit of 200 requests per day.', 900],
    ['免费API限制每天200次请求', 900],
  ])('%s: %j seconds', (message, seconds) => {
    expect(waitOf(message)).toBe(seconds);
  });

  it.each([
    [{ retry_after: 20 }, 20],
    [{ retryAfter: '1.5' }, 2],
    [{ retry_after_ms: 2_500 }, 3],
    [{ details: [{}, { '@type': 'RetryInfo', retryDelay: '34s' }] }, 34],
    [{ metadata: { retry_after_seconds: '1m30s' } }, 90],
    [{ retry_after: null, retries: 4, retry_after_s: 'soon' }, null],
    [{ retry_after: 0 }, null],
  ])('stands in a field of the error: %j', (fields, seconds) => {
    const said = JSON.stringify({ error: { message: 'Slow down.', code: 429, ...fields } });
    const error = errorOfAnswer({ ...head, httpStatus: 429 }, said, RELAY);
    expect(error.retryAfterSeconds).toBe(seconds);
  });

  it('is that of Retry-After, before the words, before the time at which the limits renew', () => {
    expect(waitOf('Try again in 12s.', { retryAfter: 120, reset: 60 })).toBe(120);
    expect(waitOf('Try again in 12s.', { retryAfter: 0, reset: 60 })).toBe(12);
    expect(waitOf('Slow down.', { reset: 60 })).toBe(60);
  });

  it.each([
    [429, 'daily limit reached: 50 requests per day'],
    [403, '今日请求次数已达上限'],
    [403, '今日额度已用完'],
    [429, 'You exceeded your current quota, check your plan and billing. Please retry in 34.07s.'],
  ])('%i %s is a rate limit and not a lack of credit', (status, message) => {
    expect(errorOf(status, words(message, status))).toMatchObject({
      code: 'RATE_LIMITED',
      outcome: 'not_processed',
      retryAfterSeconds: expect.any(Number),
    });
  });

  it.each([
    'Rate limit reached on input-images per min: Limit 5, Used 0, Requested 8.',
    'Limit 1,000, Used 0, Requested 1,200',
    'Request too large for gpt-image-1: reduce your input.',
  ])('%s is rejected: it alone exceeds the limit', (message) => {
    expect(errorOf(429, words(message, 429))).toMatchObject({
      code: 'BAD_REQUEST',
      outcome: 'refused',
    });
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each([
    [null, null],
    ['120', 120],
    ['0', 0],
    ['0.5', 1],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['', null],
    ['99999999999', null],
  ])('%j means %j seconds', (value, seconds) => {
    expect(parseRetryAfter(value, now)).toBe(seconds);
  });
});

describe('the details of a rejection by moderation', () => {
  const details = (moderation_details: unknown) =>
    errorOf(400, {
      error: { message: 'No.', type: 'x', code: 'moderation_blocked', moderation_details },
    }).moderationDetails;

  it('are its stage and categories', () => {
    expect(details({ moderation_stage: 'input', categories: ['sexual', 'violence'] })).toEqual({
      stage: 'input',
      categories: ['sexual', 'violence'],
    });
    expect(details({ moderation_stage: 'output' })).toEqual({ stage: 'output', categories: [] });
    expect(details({ categories: 'violence' })).toEqual({ stage: null, categories: [] });
  });

  it('are null if it has none', () => {
    expect(errorOf(400, api('moderation_blocked')).moderationDetails).toBeNull();
    expect(details('because')).toBeNull();
  });

  it('are found in the error that a relay repeats', () => {
    const inner = { ...api('moderation_blocked').error, moderation_details: { categories: ['x'] } };
    const relayed = { error: { message: JSON.stringify({ error: inner }), code: '400' } };
    expect(errorOf(400, relayed).moderationDetails).toEqual({ stage: null, categories: ['x'] });
  });

  it('are at most 32 categories of at most 64 characters', () => {
    const long = 'x'.repeat(65);
    const categories = [long, 7, '', ...Array.from({ length: 100 }, (_, index) => `c${index}`)];
    const found = details({ moderation_stage: long, categories });
    expect(found).toEqual({
      stage: null,
      categories: Array.from({ length: 32 }, (_, index) => `c${index}`),
    });
  });
});
