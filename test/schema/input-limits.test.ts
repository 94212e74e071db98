import { buildSchema, getOperationAST, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import {
  findArgumentExcess,
  findLiteralExcess,
  findVariableExcess,
  INPUT_LIMITS,
} from '../../src/schema/input-limits.ts';

const { listItems, allItems, jsonDepth, jsonCharacters } = INPUT_LIMITS;

const schema = buildSchema(/* GraphQL */ `
  scalar JSON
  enum Color { RED }
  input Filter { colors: [Color!] more: [Filter!] json: JSON }
  type Query { find(colors: [Color!], filter: Filter, json: JSON, text: String): Int }
  directive @note(colors: [Color!]) on FIELD
`);

const items = (count: number, item: unknown = 'RED') => Array.from({ length: count }, () => item);
const nested = (levels: number) =>
  Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 0);

/** By a variable of each type. */
function byVariables(variables: Record<string, unknown>) {
  const query =
    'query($colors: [Color!], $filter: Filter, $json: JSON) { find(colors: $colors, filter: $filter, json: $json) }';
  const operation = getOperationAST(parse(query));
  if (!operation) throw new TypeError('no operation');
  return findVariableExcess(operation, schema, variables);
}

const literal = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll('"RED"', 'RED')
    .replaceAll(/"(\w+)":/g, '$1:');
const byLiterals = (args: Record<string, unknown>) =>
  findLiteralExcess(
    parse(`{ find(${Object.entries(args).map(([name, value]) => `${name}: ${literal(value)}`)}) }`),
    schema,
  );

describe.each([
  ['variables', byVariables],
  ['literals', byLiterals],
])('in %s', (_, find) => {
  test.each<[string, Record<string, unknown>]>([
    ['a list of exactly the limit', { colors: items(listItems) }],
    ['null for a list', { colors: null }],
    ['one item for a list', { colors: 'RED' }],
    ['JSON of exactly the depth', { json: nested(jsonDepth) }],
    ['JSON of exactly the depth below input objects', { filter: { json: nested(jsonDepth) } }],
    ['a JSON list that is longer than other lists', { json: items(listItems + 1) }],
    ['JSON of exactly the characters', { json: { a: 'x'.repeat(jsonCharacters - 1) } }],
  ])('%s passes', (_name, values) => {
    expect(find(values)).toBeNull();
  });

  test.each<[string, Record<string, unknown>, string, string]>([
    ['a list of one more', { colors: items(listItems + 1) }, 'colors', 'listItems'],
    [
      'a list in an input object',
      { filter: { more: [{ colors: [] }, { colors: items(listItems + 1) }] } },
      'filter.more[1].colors',
      'listItems',
    ],
    [
      'lists that are too long together',
      { filter: { more: items(allItems / listItems + 1, { colors: items(listItems) }) } },
      `filter.more[${allItems / listItems - 1}].colors`,
      'allItems',
    ],
    ['JSON of one level more', { json: nested(jsonDepth + 1) }, 'json', 'jsonDepth'],
    [
      'JSON of one character more',
      { json: { a: 'x'.repeat(jsonCharacters) } },
      'json',
      'jsonCharacters',
    ],
  ])('%s is rejected with its place and limit', (_name, values, path, limit) => {
    const excess = find(values);
    expect(excess).toMatchObject({ path, limit });
    expect(excess?.message).toContain(path);
    expect(excess?.message).toContain(String(INPUT_LIMITS[limit as keyof typeof INPUT_LIMITS]));
  });
});

test('JSON that is nested deeper than a stack is rejected without recursion', () => {
  expect(byVariables({ json: nested(100_000) })).toMatchObject({ limit: 'jsonDepth' });
  expect(byVariables({ filter: nested(100_000) })).toBeNull();
});

test('JSON of many small values is rejected by their number', () => {
  const excess = byVariables({ json: items(jsonCharacters + 1, 1) });
  expect(excess).toMatchObject({ limit: 'jsonCharacters' });
});

test('default values and arguments of directives have the same limits', () => {
  const colors = literal(items(listItems + 1));
  for (const query of [
    `query($colors: [Color!] = ${colors}) { find(colors: $colors) }`,
    `{ find @note(colors: ${colors}) }`,
    `fragment F on Query { find(colors: ${colors}) } { ...F }`,
  ]) {
    expect(findLiteralExcess(parse(query), schema)).toMatchObject({
      path: 'colors',
      limit: 'listItems',
    });
  }
});

test('what is of an unknown argument or type, or no JSON, is left to validation', () => {
  const colors = literal(items(listItems + 1));
  expect(findLiteralExcess(parse(`{ find(other: ${colors}) nothing(a: [1]) }`), schema)).toBeNull();
  // A file of a multipart request.
  class Upload {
    readonly self = this;
  }
  expect(byVariables({ json: new Upload() })).toBeNull();
});

describe('a variable inside an argument', () => {
  const find = (query: string, variables: Record<string, unknown>) =>
    findArgumentExcess(parse(query), schema, variables);

  test('is part of the depth', () => {
    const query = 'query($j: JSON) { find(filter: { json: { a: $j } }) }';
    expect(find(query, { j: nested(jsonDepth - 1) })).toBeNull();
    expect(find(query, { j: nested(jsonDepth) })).toMatchObject({
      path: 'filter.json',
      limit: 'jsonDepth',
    });
  });

  test('counts as often as it is there', () => {
    const query = (times: number) => `query($j: JSON) { find(json: [${items(times, '$j')}]) }`;
    const j = 'x'.repeat(jsonCharacters / 8);
    expect(find(query(7), { j })).toBeNull();
    expect(find(query(8), { j })).toMatchObject({ limit: 'jsonCharacters' });
    const lists = `query($c: [Color!]) { find(filter: { more: [${items(allItems / listItems, '{ colors: $c }')}] }) }`;
    expect(find(lists, { c: items(listItems) })).toMatchObject({ limit: 'allItems' });
  });
});

test('an input object may have a hundred fields, whatever they are called', () => {
  const fields = (count: number) => ({
    filter: Object.fromEntries(items(count).map((_, at) => [`unknown${at}`, 1])),
  });
  expect(byVariables(fields(100))).toBeNull();
  expect(byVariables(fields(101))).toMatchObject({ path: 'filter', limit: 'objectFields' });
});

test('a name may have 256 characters, of an enum value and of a field', () => {
  const name = (length: number) => 'R'.repeat(length);
  expect(byVariables({ colors: [name(256)], filter: { [name(256)]: 1 } })).toBeNull();
  expect(byVariables({ colors: ['RED', name(257)] })).toMatchObject({
    path: 'colors[1]',
    limit: 'nameCharacters',
  });
  expect(byVariables({ filter: { [name(257)]: 1 } })).toMatchObject({ limit: 'nameCharacters' });
});
