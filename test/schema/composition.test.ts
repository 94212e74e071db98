import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { buildSchema, isObjectType, parse } from 'graphql';
import { expect, test } from 'vitest';
import { FEDERATION_EXAMPLE } from '../support/federation-example.ts';

const read = (path: string) => readFile(path, 'utf8');
const retouch = await read(join(import.meta.dirname, '../../schema.subgraph.graphql'));
const users = await read(join(FEDERATION_EXAMPLE, 'users.graphql'));

function compose(...subgraphs: [name: string, sdl: string][]) {
  return composeServices(
    subgraphs.map(([name, sdl]) => ({ name, url: `http://${name}/graphql`, typeDefs: parse(sdl) })),
  );
}

test('composes with a subgraph that has its own users, connections and PageInfo', () => {
  const { errors, hints, schema } = compose(['retouch', retouch], ['users', users]);
  expect(errors).toBeUndefined();
  expect(hints).toEqual([]);
  const api = schema?.toAPISchema().toGraphQLJSSchema();
  const user = api?.getType('User');
  expect(isObjectType(user) && Object.keys(user.getFields()).sort()).toEqual([
    'editJobs',
    'id',
    'name',
    'usage',
  ]);
  expect(Object.keys(api?.getQueryType()?.getFields() ?? {})).toEqual(
    expect.arrayContaining(['editJobs', 'users']),
  );
  expect(Object.keys(api?.getSubscriptionType()?.getFields() ?? {})).toEqual([
    'editJob',
    'editJobs',
  ]);
});

test('leaves node and nodes to whoever else has them', () => {
  const relay = users.replace(
    'type Query {',
    'type Query {\n  node(id: ID!): Node\n  nodes(ids: [ID!]!): [Node]!',
  );
  const { errors, schema } = compose(['retouch', retouch], ['users', relay]);
  expect(errors).toBeUndefined();
  const query = schema?.toAPISchema().toGraphQLJSSchema().getQueryType();
  expect(Object.keys(query?.getFields() ?? {})).toEqual(
    expect.arrayContaining(['node', 'nodes', 'editJobs', 'image']),
  );
});

test('lets another subgraph refer to an edit and a picture by their ids', () => {
  const albums = /* GraphQL */ `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])
    type Query { albums: [Album!]! }
    type Album @key(fields: "id") { id: ID! cover: Image! edits: [EditJob!]! }
    type Image @key(fields: "id", resolvable: false) { id: ID! }
    type EditJob @key(fields: "id", resolvable: false) { id: ID! }
  `;
  const { errors } = compose(['retouch', retouch], ['users', users], ['albums', albums]);
  expect(errors).toBeUndefined();
});

test('gives the same types as the standalone schema, but for what only one of them has', async () => {
  const standalone = buildSchema(await read(join(import.meta.dirname, '../../schema.graphql')));
  const { schema } = compose(['retouch', retouch]);
  const api = schema?.toAPISchema().toGraphQLJSSchema();
  const fieldsOf = (types: typeof standalone | undefined) =>
    Object.values(types?.getTypeMap() ?? {})
      .filter((type) => !type.name.startsWith('__'))
      .flatMap((type) =>
        'getFields' in type
          ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`)
          : type.name,
      );
  const only = (here: string[], there: string[]) => here.filter((name) => !there.includes(name));
  const [ours, theirs] = [fieldsOf(standalone), fieldsOf(api)];
  expect(only(ours, theirs)).toEqual(['Query.node', 'Query.nodes']);
  expect(only(theirs, ours)).toEqual([]);
});
