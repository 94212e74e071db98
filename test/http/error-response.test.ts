import { describe, expect, test } from 'vitest';
import {
  AnswerNotFoundError,
  BudgetExceededError,
  ConfigError,
  ForbiddenError,
  InvalidInputError,
  JobNotCancelableError,
  NotFoundError,
  StorageError,
  UnavailableError,
} from '../../src/errors.ts';
import { toErrorResponse } from '../../src/http/error-response.ts';

const overBudget = { limitMicroUsd: 1n, usedMicroUsd: 1n, resetsAt: null };

describe('an error response', () => {
  test.each([
    [new InvalidInputError('n', 'TOO_LARGE', 'n must be 1 to 10.'), 400, 'BAD_USER_INPUT'],
    [new NotFoundError('Image', 'x'), 404, 'NOT_FOUND'],
    [new ForbiddenError('For admins.'), 403, 'FORBIDDEN'],
    [new JobNotCancelableError('FAILED'), 409, 'JOB_NOT_CANCELABLE'],
    [new AnswerNotFoundError(), 404, 'ANSWER_NOT_FOUND'],
    [new BudgetExceededError('No budget left.', overBudget), 429, 'BUDGET_EXCEEDED'],
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
