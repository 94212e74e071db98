import { describe, expect, test } from 'vitest';
import {
  parseVariables,
  withEntry,
  withoutValue,
  withValue,
} from '../../src/graphiql/files/edit-variables.ts';

describe('the variables’ text', () => {
  test('keeps its comments and order when a value is put in', () => {
    const text = '{\n  // which\n  "b": 1,\n  "a": { "x": 2 }\n}';
    expect(withValue(text, ['a', 'x'], null)).toBe(text.replace('2', 'null'));
  });

  test('gets the objects on the way to a value', () => {
    const text = withValue('', ['input', 'mask'], { file: null });
    expect(JSON.parse(text)).toEqual({ input: { mask: { file: null } } });
  });

  test.each([
    ['{ "input": null, "a": 1 }', { input: { images: [{ file: null }] }, a: 1 }],
    ['{ "input": { "images": null } }', { input: { images: [{ file: null }] } }],
    ['{ "input": { "images": {} } }', { input: { images: [{ file: null }] } }],
    ['{ "input": [] }', { input: { images: [{ file: null }] } }],
  ])('gets a value in place of what cannot hold it: %s', (text, expected) => {
    expect(JSON.parse(withValue(text, ['input', 'images', 0, 'file'], null))).toEqual(expected);
  });

  test('gets another entry at the end of a list, or the list', () => {
    const first = withEntry('{}', ['images'], { file: null });
    const second = withEntry(first.text, ['images'], { id: 'a' });
    expect([first.index, second.index]).toEqual([0, 1]);
    expect(JSON.parse(second.text)).toEqual({ images: [{ file: null }, { id: 'a' }] });
  });

  test('loses one entry and no other', () => {
    const text = withoutValue('{ "images": [1, 2, 3] }', ['images', 1]);
    expect(JSON.parse(text)).toEqual({ images: [1, 3] });
    expect(withoutValue('{ "images": null }', ['images', 0])).toBe('{ "images": null }');
  });

  test.each(['{', '[]', 'null', '"x"', '{ "a": }'])('is no object: %s', (text) => {
    expect(parseVariables(text)).toBeNull();
  });

  test('is an object when it is empty or has comments', () => {
    expect(parseVariables('  ')).toEqual({});
    expect(parseVariables('{ "a": 1, /* b */ }')).toEqual({ a: 1 });
  });
});
