import { describe, expect, test } from 'vitest';
import { viewerOf } from '../../src/auth/visible.ts';
import { ForbiddenError, InvalidInputError } from '../../src/errors.ts';
import { checkUsageRequest, type UsageRequest } from '../../src/usage/usage-request.ts';

const VIEWER = viewerOf('me');
const REQUEST: UsageRequest = {
  from: new Date('2026-01-01T00:00Z'),
  to: new Date('2026-02-01T00:00Z'),
  groupBy: [],
  timeZone: 'UTC',
  metadataKey: null,
  sandbox: null,
  first: 1,
};

/** What is wrong with the request, but for these parts of it. */
function problem(parts: Partial<UsageRequest>, viewer = VIEWER) {
  try {
    checkUsageRequest({ ...REQUEST, ...parts }, viewer);
  } catch (error) {
    return error;
  }
  return null;
}

describe('a request for usage', () => {
  test.each<[argument: string, says: string, Partial<UsageRequest>]>([
    ['from', 'must not be later', { from: new Date('2026-02-01T00:00:00.001Z') }],
    ['groupBy', 'at most 3', { groupBy: ['DAY', 'MODEL', 'STATUS', 'SIZE'] }],
    ['groupBy', 'twice', { groupBy: ['MODEL', 'MODEL'] }],
    ['groupBy', 'HOUR and DAY', { groupBy: ['HOUR', 'DAY'] }],
    ['groupBy', 'PROMPT with OWNER', { groupBy: ['OWNER', 'PROMPT'] }],
    ['timeZone', 'IANA', { timeZone: 'Mars/Olympus' }],
    ['timeZone', 'IANA', { timeZone: '' }],
    ['to', '416 days', { groupBy: ['HOUR'], to: new Date('2027-03-01T00:00Z') }],
    ['to', '10000 days', { groupBy: ['DAY'], to: new Date('2054-01-01T00:00Z') }],
    ['to', '10000 days', { groupBy: ['MONTH'], to: new Date('9999-01-01T00:00Z') }],
    ['metadataKey', 'requires metadataKey', { groupBy: ['METADATA'] }],
    ['metadataKey', 'only be set with groupBy METADATA', { metadataKey: 'project' }],
    ['metadataKey', '1 to 64', { groupBy: ['METADATA'], metadataKey: 'k'.repeat(65) }],
    ['metadataKey', 'no NUL', { groupBy: ['METADATA'], metadataKey: 'a\0' }],
    ['first', '1 to 10000', { first: 0 }],
    ['first', '1 to 10000', { first: 10_001 }],
    ['first', '1 to 1000 with PROMPT', { groupBy: ['PROMPT'], first: 1_001 }],
  ])('is refused for its %s: %s', (argument, says, parts) => {
    const error = problem(parts, { ...VIEWER, isAdmin: true });
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ field: argument, message: expect.stringContaining(says) });
  });

  test('reports all problems at once', () => {
    const error = problem({
      from: new Date('2026-02-01T00:00:00.001Z'),
      groupBy: ['MODEL', 'MODEL', 'HOUR', 'DAY'],
      timeZone: '',
      metadataKey: 'project',
      first: 0,
    });
    expect((error as InvalidInputError).problems.map(({ field }) => field)).toEqual([
      'from',
      'groupBy',
      'groupBy',
      'groupBy',
      'timeZone',
      'metadataKey',
      'first',
    ]);
  });

  test('of everybody is for admins only', () => {
    expect(problem({ groupBy: ['OWNER'] })).toBeInstanceOf(ForbiddenError);
    expect(problem({ groupBy: ['OWNER'] }, { ...VIEWER, isAdmin: true })).toBeNull();
  });

  test.each<Partial<UsageRequest>>([
    { groupBy: ['HOUR', 'MODEL', 'STATUS'], first: 10_000, timeZone: 'Asia/Kathmandu' },
    { groupBy: ['METADATA'], metadataKey: 'a "key"', timeZone: '+05:30' },
    { from: new Date('1900-01-01T00:00Z'), to: new Date('9999-01-01T00:00Z') },
    { to: REQUEST.from },
  ])('is taken: %j', (parts) => {
    expect(problem(parts)).toBeNull();
  });
});
