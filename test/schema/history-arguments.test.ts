import { expect, test } from 'vitest';
import { InvalidInputError } from '../../src/errors.ts';
import { readHistoryArguments } from '../../src/schema/history-arguments.ts';

const read = (filter: unknown) =>
  readHistoryArguments({ filter: JSON.stringify(filter), search: null, orderBy: null });
const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

test.each<[string, object, string]>([
  ['a list of more than 100 items', { model: Array(101).fill('m') }, 'filter.model'],
  [
    'JSON that is nested deeper than 32 levels',
    { metadata: { a: nested(3_000) } },
    'filter.metadata',
  ],
])('an export rejects %s, and names its place', (_, filter, field) => {
  expect(() => read(filter)).toThrow(InvalidInputError);
  expect(() => read(filter)).toThrow(field);
});

test('an export accepts a list of 100 items', () => {
  expect(read({ model: Array(100).fill('m') }).filter?.model).toHaveLength(100);
});

test('an export reports all problems of its arguments at once', () => {
  const problemsOf = (filter: object) => {
    try {
      readHistoryArguments({
        filter: JSON.stringify(filter),
        search: 'x'.repeat(1_001),
        orderBy: '{',
      });
      return [];
    } catch (error) {
      return (error as InvalidInputError).problems.map(({ field }) => field);
    }
  };
  const invalid = { cost: { min: '0.0000001', max: '0.0000002' }, promptId: 'nonsense' };
  expect(problemsOf(invalid)).toEqual([
    'filter.cost.min',
    'filter.cost.max',
    'filter.promptId',
    'search',
    'orderBy',
  ]);
  expect(problemsOf({ status: ['GONE'], hasError: 1, nothing: 1 })).toEqual([
    'filter.hasError',
    'filter.status.0',
    'filter',
    'search',
    'orderBy',
  ]);
});

test('an export rejects a malformed id', () => {
  expect(() => read({ promptId: 'nonsense' })).toThrow('filter.promptId');
});
