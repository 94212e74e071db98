import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';

/** What costs too much to ask for everywhere, and shows nothing that the rest does not. */
const LEFT_OUT = ['b64Json', 'edges', 'cursor', 'estimatedTotalCount'];

/** Every field of a type, and of the types that it leads to, down to a depth. */
export function fullSelection(
  schema: GraphQLSchema,
  type: GraphQLNamedType,
  depth: number,
  alias: (name: string) => string = (name) => name,
): string {
  if (isAbstractType(type)) {
    // Members may have fields of one name and different types.
    const members = schema.getPossibleTypes(type).map((member) => {
      const own = fullSelection(schema, member, depth, (name) => `${member.name}_${name}: ${name}`);
      return own === '' ? '' : `... on ${member.name} ${own}`;
    });
    return `{ __typename ${members.join(' ')} }`;
  }
  if (!isObjectType(type)) return '';
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const selection = fieldSelection(schema, field, depth);
    return selection === null ? [] : alias(field.name) + selection;
  });
  return fields.length === 0 ? '' : `{ ${fields.join(' ')} }`;
}

/** What follows a field's name; null: it is left out. */
function fieldSelection(
  schema: GraphQLSchema,
  { name, args, type: fieldType }: GraphQLField<unknown, unknown>,
  depth: number,
): string | null {
  if (LEFT_OUT.includes(name) || args.some(isRequiredArgument)) return null;
  const type = getNamedType(fieldType);
  if (isLeafType(type)) return '';
  if (depth === 0) return null;
  // A connection is not a level of its own.
  const selection = fullSelection(
    schema,
    type,
    type.name.endsWith('Connection') ? depth : depth - 1,
  );
  if (selection === '') return null;
  return `${args.some((arg) => arg.name === 'first') ? '(first: 2)' : ''} ${selection}`;
}
