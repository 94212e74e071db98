import { describe, expect, it } from 'vitest';
import { errorOfAnswer } from '../../src/edits-api/answer-errors.ts';
import { createRedactor } from '../../src/edits-api/redact.ts';
import { parseRetryAfter } from '../../src/net/retry-after.ts';

const head = { upstreamRequestId: 'req_1', retryAfterSeconds: null };

function errorOf(httpStatus: number, said: unknown) {
  return errorOfAnswer(
    { ...head, httpStatus },
    typeof said === 'string' ? said : JSON.stringify(said),
  );
}

const api = (code: string | null, type = 'invalid_request_error') => ({
  error: { message: 'No.', type, code, param: null },
});

describe('an answer that is an error', () => {
  it.each([
    [400, api('moderation_blocked'), 'MODERATION_BLOCKED', 'refused'],
    [400, api('content_policy_violation'), 'MODERATION_BLOCKED', 'refused'],
    [413, api(null, 'image_generation_user_error'), 'MODERATION_BLOCKED', 'refused'],
    [422, api('moderation_blocked'), 'MODERATION_BLOCKED', 'refused'],
    [400, api('invalid_value'), 'BAD_REQUEST', 'refused'],
    [400, 'no JSON at all', 'BAD_REQUEST', 'refused'],
    [404, api(null), 'BAD_REQUEST', 'refused'],
    [404, api('model_not_found'), 'MODEL_NOT_FOUND', 'refused'],
    [403, api('model_not_found'), 'MODEL_NOT_FOUND', 'refused'],
    [503, api('model_not_found'), 'SERVER_ERROR', 'not_processed'],
    [413, '<h1>Too large</h1>', 'BAD_REQUEST', 'refused'],
    [422, api(null), 'BAD_REQUEST', 'refused'],
    [401, api('invalid_api_key'), 'AUTHENTICATION_FAILED', 'refused'],
    [403, '', 'AUTHENTICATION_FAILED', 'refused'],
    [408, api(null), 'TIMEOUT', 'unknown'],
    [429, api('rate_limit_exceeded'), 'RATE_LIMITED', 'not_processed'],
    [429, '', 'RATE_LIMITED', 'not_processed'],
    [429, api('insufficient_quota'), 'INSUFFICIENT_QUOTA', 'refused'],
    [429, api(null, 'insufficient_quota'), 'INSUFFICIENT_QUOTA', 'refused'],
    [400, api('billing_hard_limit_reached'), 'INSUFFICIENT_QUOTA', 'refused'],
    [500, api(null, 'server_error'), 'SERVER_ERROR', 'not_processed'],
    [500, '{"error":"words only"}', 'SERVER_ERROR', 'unknown'],
    [500, '{"error":null}', 'SERVER_ERROR', 'unknown'],
    [500, '{"error":[]}', 'SERVER_ERROR', 'unknown'],
    [500, '<html>', 'SERVER_ERROR', 'unknown'],
    [500, '', 'SERVER_ERROR', 'unknown'],
    [502, api(null), 'SERVER_ERROR', 'unknown'],
    [503, '<html>', 'SERVER_ERROR', 'not_processed'],
    [504, '', 'SERVER_ERROR', 'unknown'],
    [524, api(null), 'SERVER_ERROR', 'unknown'],
    [301, '', 'BROKEN_ANSWER', 'unknown'],
    [307, '', 'BROKEN_ANSWER', 'unknown'],
    [999, '', 'BROKEN_ANSWER', 'unknown'],
  ])('%i %j is %s, %s', (status, said, code, outcome) => {
    expect(errorOf(status, said)).toMatchObject({
      code,
      outcome,
      httpStatus: status,
      upstreamRequestId: 'req_1',
    });
  });

  it('repeats what the API said', () => {
    expect(errorOf(400, api(null)).message).toBe('The edits API answered 400: No.');
    expect(errorOf(500, { error: {} }).message).toBe('The edits API answered 500.');
  });

  it('doubts the URL where a 404 is no word of an edits API', () => {
    expect(errorOf(404, '<h1>Not found</h1>').message).toBe(
      'The edits API answered 404: Not found (Its URL may be wrong.)',
    );
    expect(errorOf(404, api('model_not_found')).message).toBe('The edits API answered 404: No.');
  });

  it('repeats what a page says, without its tags and scripts', () => {
    const page = '<html><style>p { x }</style><script>y()</script><p>Bad\n\n  gateway</p></html>';
    expect(errorOf(502, page).message).toBe('The edits API answered 502: Bad gateway');
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

describe('the redactor', () => {
  const redact = createRedactor('my+secret.key');

  it('hides the key wherever it stands, and whatever looks like one', () => {
    expect(redact('my+secret.key: Incorrect key sk-proj-abc***xyz, not (my+secret.key)')).toBe(
      '[redacted]: Incorrect key [redacted], not ([redacted])',
    );
  });

  it('keeps words that only look a little like a key', () => {
    expect(redact('a task-force at the risk-free desk')).toBe('a task-force at the risk-free desk');
  });

  it('keeps at most 2,000 characters', () => {
    expect(redact('x'.repeat(3000))).toHaveLength(2000);
    expect(redact(`${'x'.repeat(1990)}my+secret.key`)).not.toContain('my+');
  });
});
