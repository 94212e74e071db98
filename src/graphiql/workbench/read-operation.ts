import { Kind, type OperationDefinitionNode, parse } from 'graphql';

/**
 * The operation of that name, or else the first, with the variables of all: GraphiQL asks which one
 * to run only when it runs. Null if there is none.
 * @throws GraphQLError if the text is invalid.
 */
export function readOperation(
  query: string,
  name: string | undefined,
): OperationDefinitionNode | null {
  const operations = parse(query).definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const operation = operations.find((one) => one.name?.value === name) ?? operations[0];
  if (operation === undefined) return null;
  const all = [operation, ...operations].flatMap((one) => one.variableDefinitions ?? []);
  const names = all.map(({ variable }) => variable.name.value);
  const variableDefinitions = all.filter(
    ({ variable }, index) => names.indexOf(variable.name.value) === index,
  );
  return { ...operation, variableDefinitions };
}
