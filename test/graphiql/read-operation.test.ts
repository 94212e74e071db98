import { expect, test } from 'vitest';
import { readOperation } from '../../src/graphiql/workbench/read-operation.ts';

const QUERY = `query A { a }
mutation B($file: Upload!, $same: Int) { b(file: $file, same: $same) }
mutation C($same: Upload, $c: Int) { c(same: $same, c: $c) }`;

function variables(name: string | undefined): string[] {
  const definitions = readOperation(QUERY, name)?.variableDefinitions ?? [];
  return definitions.map(({ variable, type }) => {
    const inner = type.kind === 'NonNullType' ? type.type : type;
    return `${variable.name.value}: ${inner.kind === 'NamedType' ? inner.name.value : ''}`;
  });
}

test('of several operations the variables of each can be filled, those of the chosen one first', () => {
  expect(variables('A')).toEqual(['file: Upload', 'same: Int', 'c: Int']);
  expect(variables('C')).toEqual(['same: Upload', 'c: Int', 'file: Upload']);
  expect(readOperation(QUERY, 'B')?.name?.value).toBe('B');
  expect(readOperation(QUERY, 'none')?.name?.value).toBe('A');
});

test('a text without an operation has none', () => {
  expect(readOperation('fragment F on Query { a }', undefined)).toBeNull();
  expect(() => readOperation('# nothing', undefined)).toThrow();
});
