import { describe, expect, test } from 'vitest';
import {
  AnswerNotFoundError,
  ConfigError,
  ForbiddenError,
  InvalidInputError,
  JobNotCancelableError,
  LimitExceededError,
  NotFoundError,
  StorageError,
  UnavailableError,
} from '../../src/errors.ts';
import { toErrorResponse } from '../../src/http/error-response.ts';

const exceeded = {
  limitId: '0197c3d0-0000-7000-8000-000000000000',
  measure: 'COST',
  limit: 1_500_000n,
  used: 1_400_000n,
  remaining: 100_000n,
  resetsAt: null,
  retryAfterSeconds: null,
} as const;

describe('an error response', () => {
  test.each([
    [new InvalidInputError('n', 'TOO_LARGE', 'n must be 1 to 10.'), 400, 'BAD_USER_INPUT'],
    [new NotFoundError('Image', 'x'), 404, 'NOT_FOUND'],
    [new ForbiddenError('For admins.'), 403, 'FORBIDDEN'],
    [new JobNotCancelableError('FAILED'), 409, 'JOB_NOT_CANCELABLE'],
    [new AnswerNotFoundError(), 404, 'ANSWER_NOT_FOUND'],
    [new LimitExceededError('Too expensive.', exceeded), 429, 'LIMIT_EXCEEDED'],
  ])('keeps the message of %o, as status %i with code %s', (error, status, code) => {
    expect(toErrorResponse(error)).toMatchObject({
      status,
      code,
      message: error.message,
      retryAfterSeconds: null,
      fault: 'client',
    });
  });

  test('names the invalid field', () => {
    const { details } = toErrorResponse(new InvalidInputError('n', 'TOO_LARGE', 'Too large.'));
    expect(details).toEqual({
      field: 'n',
      problems: [{ field: 'n', code: 'TOO_LARGE', message: 'Too large.' }],
    });
  });

  test('says what is left of a limit, and when to retry', () => {
    const resetsAt = new Date('2026-03-15T00:00:00Z');
    const error = new LimitExceededError('Too expensive.', {
      ...exceeded,
      resetsAt,
      retryAfterSeconds: 60,
    });
    expect(toErrorResponse(error)).toMatchObject({
      status: 429,
      details: { measure: 'COST', limit: '1.5', used: '1.4', remaining: '0.1', resetsAt },
      retryAfterSeconds: 60,
      fault: 'client',
    });
  });

  test.each([
    [new UnavailableError('Too many edits are queued.', 7), 7],
    [new StorageError('The disk is full.'), 30],
    [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), 5],
  ])('says when to retry after %o', (error, retryAfterSeconds) => {
    expect(toErrorResponse(error)).toMatchObject({
      status: 503,
      retryAfterSeconds,
      fault: 'server',
    });
  });

  test.each([new Error('secret'), new ConfigError(['secret']), 'secret', undefined])(
    'hides the message of %o',
    (error) => {
      const response = toErrorResponse(error);
      expect(response).toMatchObject({
        status: 500,
        code: 'INTERNAL_SERVER_ERROR',
        fault: 'server',
      });
      expect(JSON.stringify(response)).not.toContain('secret');
    },
  );

  test('is nobody’s fault when the client has closed the request', () => {
    expect(toErrorResponse(new DOMException('', 'AbortError')).fault).toBe('disconnect');
  });
});
