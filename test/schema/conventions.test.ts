import {
  type GraphQLOutputType,
  getNamedType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/schema/index.ts';

const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});

describe.each(mutations.map((field) => [field.name, field] as const))(
  'mutation %s',
  (name, field) => {
    const Name = `${name[0]?.toUpperCase()}${name.slice(1)}`;

    test('takes one argument, `input`, of a type of its own', () => {
      expect(field.args.map((arg) => `${arg.name}: ${arg.type}`)).toEqual([`input: ${Name}Input!`]);
    });

    test('returns a union of its payload and typed errors', () => {
      expect(String(field.type)).toBe(`${Name}Result!`);
      const union = getNamedType(field.type);
      const members = isUnionType(union) ? union.getTypes() : [];
      const errors = members.filter(({ name }) => name !== `${Name}Payload`);
      expect(members).toHaveLength(errors.length + 1);
      for (const error of errors) expect(error.getInterfaces().map(String)).toContain('Error');
    });

    test('names the objects in its payload by their types, and a deleted one by `deletedId`', () => {
      const payload = schema.getType(`${Name}Payload`);
      if (!isObjectType(payload)) throw new Error(`${name} has no payload`);
      const fields = Object.values(payload.getFields());
      for (const { name, type } of fields) {
        const object = getNamedType(type);
        if (isObjectType(object)) expect(name.toLowerCase()).toBe(object.name.toLowerCase());
      }
      expect(fields.some(({ name }) => /deleted/.test(name))).toBe(name.startsWith('delete'));
      if (name.startsWith('delete')) {
        expect(fields.map(({ name, type }) => `${name}: ${type}`)).toEqual(['deletedId: ID!']);
      }
    });
  },
);

test('an id that selects the object of a mutation is named `id`', () => {
  const fields = mutations
    .flatMap(({ args }) => args)
    .map(({ type }) => getNamedType(type))
    .flatMap((input) => ('getFields' in input ? Object.values(input.getFields()) : []))
    .filter(({ type }) => isRequiredId(type as GraphQLOutputType))
    .map(({ name }) => name);
  expect(new Set(fields)).toEqual(new Set(['id']));
});

function isRequiredId(type: GraphQLOutputType): boolean {
  return isNonNullType(type) && String(type) === 'ID!';
}
