import { complexityFromQuery } from '@pothos/plugin-complexity';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { loadSubgraph, schema } from '../../src/schema/index.ts';
import { isNodeType } from '../../src/schema/node-rows.ts';

const id = (at: number) =>
  Buffer.from(`Image:00000000-0000-7000-8000-${String(at).padStart(12, '0')}`).toString(
    'base64url',
  );
const ids = (count: number) => Array.from({ length: count }, (_, at) => id(at));

const subgraph = await loadSubgraph();

const count = (query: string, variables: object = {}, of = schema) =>
  complexityFromQuery(parse(query), { schema: of, variables: { ...variables } }).complexity;

test('nodes count by the length of ids, by variables, literals and default values alike', () => {
  const counted = 1 + 10 * 100 + 100 * 2;
  const byVariable = 'query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }';
  expect(count(byVariable, { ids: ids(100) })).toBe(counted);
  expect(count(`{ nodes(ids: ${JSON.stringify(ids(100))}) { id __typename } }`)).toBe(counted);
  const byDefault = `query($ids: [ID!]! = ${JSON.stringify(ids(100))}) { nodes(ids: $ids) { id __typename } }`;
  expect(count(byDefault)).toBe(counted);
});

test('references count by their number, also those that are malformed or equal', () => {
  const query =
    'query($r: [_Any!]!) { _entities(representations: $r) { ... on Image { id bytes } } }';
  const references = (id: unknown) => ({
    r: Array.from({ length: 100 }, () => ({ __typename: 'Image', id })),
  });
  expect(count(query, references(id(1)), subgraph)).toBe(1 + 10 * 100 + 100 * 2);
  expect(count(query, references('nonsense'), subgraph)).toBe(1 + 10 * 100 + 100 * 2);
});

test('edges and nodes of a connection count by its page size, not as lists of their own', () => {
  expect(count('{ editJobs(first: 10) { nodes { id } } }')).toBe(1 + 10 * (1 + 1));
  expect(count('{ editJobs(first: 10) { edges { node { id } } } }')).toBe(1 + 10 * (1 + 1 + 1));
  expect(count('{ editJobs(first: 10) { nodes { id children { nodes { id } } } } }')).toBe(
    1 + 10 * (1 + 1 + (1 + 20 * (1 + 1))),
  );
  const counts = '{ editJobs(first: 10) { nodes { children(first: 0) { totalCount } } } }';
  expect(count(counts)).toBe(1 + 10 * (1 + 1));
});

test('the items of a list in an input object count too', () => {
  const query = 'query($f: EditJobFilter) { editJobs(first: 10, filter: $f) { totalCount } }';
  const filter = { model: Array.from({ length: 50 }, () => 'm'), status: ['FAILED'] };
  expect(count(query, { f: filter }) - count(query)).toBe(51 * 10);
});

test('a long text counts wherever it stands, also by one variable', () => {
  const query = (places: string) =>
    `query($s: String!) { editJobs(first: 10, filter: { model: [${places}] }) { totalCount } }`;
  const counted = (places: string, length: number) =>
    count(query(places), { s: 'x'.repeat(length) });
  expect(counted('$s', 99)).toBe(counted('$s', 1));
  expect(counted('$s', 5_000) - counted('$s', 1)).toBe(50);
  expect(counted('$s $s $s', 5_000) - counted('$s $s $s', 1)).toBe(150);
});

test('a search counts as it may look at thousands of prompts', () => {
  const plain = count('{ editJobs(first: 1) { totalCount } }');
  expect(count('{ editJobs(first: 1, search: "a") { totalCount } }')).toBe(plain + 400);
  expect(count('{ editJobs(first: 1, search: "") { totalCount } }')).toBe(plain);
  expect(count('{ prompts(first: 1, search: "a") { edges { cursor } } }')).toBeGreaterThan(400);
});

test('a malformed id can be counted wherever one may stand', () => {
  const query = `{
    node(id: "nonsense") { id } nodes(ids: ["nonsense", ""]) { id }
    editJob(id: "nonsense") { id } image(id: "nonsense") { id } lineage(id: "nonsense") { truncated }
    editJobs(filter: { promptId: "nonsense", inputImageId: "", outputImageId: "?" }) { totalCount }
  }`;
  expect(count(query)).toBeGreaterThan(0);
});

test('every type that has a global id can be loaded by it', () => {
  const node = schema.getType('Node');
  if (node === undefined || !('resolveType' in node)) throw new TypeError('no Node');
  const names = schema.getPossibleTypes(node as never).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => !isNodeType(name))).toEqual([]);
});
