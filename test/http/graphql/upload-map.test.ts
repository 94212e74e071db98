import { expect, it } from 'vitest';
import { checkMap, checkOperations } from '../../../src/http/graphql/upload-map.ts';

const operations = checkOperations(
  '{"query":"q","operationName":null,"variables":{"input":{"images":[{"file":null},{"file":1}]}}}',
);

function check(path: string) {
  checkMap(JSON.stringify({ 0: [path] }), { operations, maxFiles: 17 });
}

it('accepts a path to a null in the variables, however deep', () => {
  expect(() => check('variables.input.images.0.file')).not.toThrow();
});

it.each([
  'operationName',
  'variables.input.images.1.file',
  'variables.input.images.2.file',
  // The prototype of all objects has none itself: a null that is not the client's.
  'variables.__proto__.__proto__',
  'variables.input.images.__proto__.__proto__.__proto__',
])('refuses the path %s', (path) => {
  expect(() => check(path)).toThrow('must point to a null');
});

it('leaves the operations as they are', () => {
  const before = JSON.stringify(operations);
  check('variables.input.images.0.file');
  expect(JSON.stringify(operations)).toBe(before);
});
