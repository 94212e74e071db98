import {
  type GraphQLField,
  getNamedType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/schema/index.ts';

const PAGE_ARGUMENTS = ['first', 'after', 'last', 'before'];

const types = Object.values(schema.getTypeMap()).filter(
  (type) => isObjectType(type) && !type.name.startsWith('__'),
);
const connections = types.filter(({ name }) => name.endsWith('Connection')).filter(isObjectType);
const fields = types.filter(isObjectType).flatMap((type) => Object.values(type.getFields()));

const isConnection = ({ type }: GraphQLField<unknown, unknown>) =>
  connections.some(({ name }) => name === getNamedType(type).name);
const shown = (field: GraphQLField<unknown, unknown> | undefined) => ({
  type: String(field?.type),
  description: field?.description,
});

describe('connections', () => {
  test.each(connections)('$name has the fields of every other', (connection) => {
    const { edges, nodes, pageInfo, totalCount, estimatedTotalCount, ...others } =
      connection.getFields();
    expect(others).toEqual({});
    const item = connection.name.replace(/Connection$/, '');
    expect(String(edges?.type)).toBe(`[${item}Edge!]!`);
    expect(String(nodes?.type)).toBe(`[${item}!]!`);
    expect(String(pageInfo?.type)).toBe('PageInfo!');
    const [first] = connections.map((one) => one.getFields());
    expect(shown(totalCount)).toEqual(shown(first?.['totalCount']));
    expect(shown(estimatedTotalCount)).toEqual(shown(first?.['estimatedTotalCount']));
  });

  test('are returned by every field with a cursor argument, each with all page arguments', () => {
    expect(connections.length).toBeGreaterThan(2);
    const paged = fields.filter(({ args }) => args.some(({ name }) => name === 'after'));
    expect(paged.filter((field) => !isConnection(field))).toEqual([]);
    for (const { name, args } of fields.filter(isConnection)) {
      const names = args.map((argument) => argument.name);
      expect(names, name).toEqual(expect.arrayContaining(PAGE_ARGUMENTS));
    }
  });
});

test('every custom scalar names its specification', () => {
  const custom = Object.values(schema.getTypeMap())
    .filter(isScalarType)
    .filter((scalar) => !isSpecifiedScalarType(scalar));
  expect(custom.length).toBeGreaterThan(4);
  for (const { name, specifiedByURL } of custom) expect(specifiedByURL, name).toMatch(/^https:/);
});
