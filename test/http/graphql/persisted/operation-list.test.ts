import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOperationList } from '../../../../src/http/graphql/persisted/operation-list.ts';
import { temporaryDirectory } from '../../../support/directory.ts';

async function read(content: string) {
  const path = join(await temporaryDirectory(), 'operations.json');
  await writeFile(path, content);
  return readOperationList(path);
}

test('the file has documents by their ids, whatever these are', async () => {
  const list = await read(
    '{ "b1946ac9": "{ __typename }", "sha256:ab": "{ __typename }", "__proto__": "query A { __typename }" }',
  );
  expect(list.get('b1946ac9')).toBe('{ __typename }');
  expect(list.get('ab')).toBe('{ __typename }');
  expect(list.get('toString')).toBeUndefined();
});

test.each([
  ['{', 'is not JSON'],
  ['[]', 'must be an object of documents by their ids'],
  ['{ "a": 1 }', 'must be an object of documents by their ids'],
  ['{ "a": "{ b" }', 'the document of "a": Syntax Error'],
  [
    JSON.stringify({ a: `{ ${'a '.repeat(5_000)} }` }),
    'the document of "a": The operation is too large',
  ],
])(
  'a file that cannot be used prevents the start, and the reason names it: %.20s',
  async (content, reason) => {
    const reading = read(content);
    await expect(reading).rejects.toThrow('PERSISTED_OPERATIONS_FILE');
    await expect(reading).rejects.toThrow(reason);
  },
);

test('a file that does not exist prevents the start', async () => {
  await expect(readOperationList('/nowhere/operations.json')).rejects.toThrow('ENOENT');
});
