import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { buildSchema, graphqlSync, isObjectType, parse } from 'graphql';
import { expect, test } from 'vitest';
import { loadSubgraph } from '../../src/schema/index.ts';
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

test('lets another subgraph refer to an edit and an image by their ids', () => {
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
  expect(only(ours, theirs)).toEqual([
    'Query.node',
    'Query.nodes',
    'Query.viewer',
    'Viewer.editJobs',
    'Viewer.id',
    'Viewer.isAdmin',
    'Viewer.limits',
    'Viewer.usage',
  ]);
  expect(only(theirs, ours)).toEqual([]);
});

test('keeps the tag of everything that is for admins only', () => {
  const { supergraphSdl = '' } = compose(['retouch', retouch], ['users', users]);
  const supergraph = buildSchema(supergraphSdl, { assumeValid: true });
  const tagged = Object.values(supergraph.getTypeMap()).flatMap((type) => [
    ...(isTagged(type) ? [type.name] : []),
    ...('getFields' in type
      ? Object.values(type.getFields())
          .filter(isTagged)
          .map((field) => `${type.name}.${field.name}`)
      : []),
    ...('getValues' in type
      ? type
          .getValues()
          .filter(isTagged)
          .map((value) => `${type.name}.${value.name}`)
      : []),
  ]);
  const mutations = ['setLimit', 'resolveOutcome', 'repriceJobs', 'resumeUpstream', 'updateOwner'];
  const types = mutations.flatMap((name) => {
    const capitalized = name.replace(/^./, (letter) => letter.toUpperCase());
    return ['Input', 'Payload', 'Result'].map((part) => capitalized + part);
  });
  const lists = ['Owner', 'AuditEvent'].flatMap((name) => [
    name,
    `${name}Connection`,
    `${name}Edge`,
  ]);
  expect(tagged.sort()).toEqual(
    [
      ...types,
      ...lists,
      ...mutations.map((name) => `Mutation.${name}`),
      'Query.auditEvents',
      'Query.owners',
      'UsageBucket.ownerId',
      'UsageGroup.OWNER',
      'JobNotResolvableError',
      'LimitMetadataInput',
      'LimitSubjectInput',
    ].sort(),
  );
});

function isTagged({ astNode }: { astNode?: { directives?: readonly unknown[] } | null }): boolean {
  return /"name":\{[^}]*"value":"tag"/.test(JSON.stringify(astNode?.directives ?? []));
}

/** A shop with types of its own by the names of ours. */
const SHOP = /* GraphQL */ `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.4", import: ["@key"])
  type Query { products: [Product!]! }
  type Product @key(fields: "sku") { sku: String! image: Image! cost: Cost! }
  type Image { src: String! }
  type Cost { cents: Int! }
  type Error { reason: String! }
`;

test('cannot be composed with types of the same names, unless its types have a prefix', async () => {
  expect(compose(['retouch', retouch], ['shop', SHOP]).errors).not.toBeUndefined();

  const prefixed = await loadSubgraph('Retouch');
  const { data } = graphqlSync({ schema: prefixed, source: '{ _service { sdl } }' });
  const composed = compose(
    ['retouch', Object(data)._service.sdl],
    ['shop', SHOP],
    ['users', users],
  );
  expect(composed.errors).toBeUndefined();
  const api = composed.schema?.toAPISchema().toGraphQLJSSchema();
  for (const name of ['Image', 'RetouchImage', 'Cost', 'RetouchCost', 'RetouchError']) {
    expect(api?.getType(name), name).toBeDefined();
  }
  expect(String(api?.getMutationType()?.getFields()['editImage']?.type)).toBe(
    'RetouchEditImageResult!',
  );
  const user = api?.getType('User');
  expect(isObjectType(user) && Object.keys(user.getFields()).sort()).toEqual([
    'editJobs',
    'id',
    'name',
    'usage',
  ]);
});
