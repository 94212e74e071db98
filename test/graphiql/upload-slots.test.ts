import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildSchema, Kind, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { blankOf, uploadSlots } from '../../src/graphiql/files/upload-slots.ts';
import { pathName } from '../../src/graphiql/transport/multipart.ts';

const OWN = buildSchema(await readFile(join(import.meta.dirname, '../../schema.graphql'), 'utf8'));
const MADE = buildSchema(`
  scalar Upload
  input Deep { file: Upload! next: Deep note: String }
  input Tree { name: String children: [Tree!] leaf: Upload }
  input Album { pages: [Page!]! cover: Upload }
  input Page { photos: [Upload!]! }
  input Framed { image: Upload! caption: String }
  type Query { a(one: Upload, many: [Upload!], deep: Deep, album: Album, tree: Tree, wall: [Framed!]): Int }
`);

function slotsOf(schema: typeof OWN, query: string, variables: object) {
  const [operation] = parse(query).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  return uploadSlots(schema, operation, variables);
}

const names = (groups: ReturnType<typeof slotsOf>) =>
  groups.flatMap(({ slots }) => slots.map(({ path }) => pathName(path)));

describe('upload slots', () => {
  const EDIT = 'mutation($input: EditImageInput!) { editImage(input: $input) { __typename } }';

  test('are those of every entry of a list in an input, and of an object that is not there yet', () => {
    const groups = slotsOf(OWN, EDIT, { input: { images: [{ file: null }, { file: null }] } });
    expect(names(groups)).toEqual([
      'input.images[0].file',
      'input.images[1].file',
      'input.mask.file',
    ]);
    expect(groups).toMatchObject([
      { path: ['input', 'images'], isList: true, isMask: false, takesIds: true },
      { path: ['input', 'mask'], isList: false, isMask: true, isRequired: false },
    ]);
    expect(groups.map(blankOf)).toEqual([{ file: null }, { file: null }]);
  });

  test('say which image is named by its id in place of a file', () => {
    const [images] = slotsOf(OWN, EDIT, { input: { images: [{ id: 'abc' }, { id: '' }] } });
    expect(images?.slots.map(({ storedId }) => storedId)).toEqual(['abc', null]);
  });

  test('are there for a list without entries, and for variables that are missing', () => {
    expect(slotsOf(OWN, EDIT, {}).map(({ path }) => pathName(path))).toEqual([
      'input.images',
      'input.mask',
    ]);
  });

  test('are variables themselves, and lists of files', () => {
    const query = 'query($one: Upload, $many: [Upload!]) { a(one: $one, many: $many) }';
    const groups = slotsOf(MADE, query, { many: [null, null] });
    expect(names(groups)).toEqual(['one', 'many[0]', 'many[1]']);
    expect(groups.map(blankOf)).toEqual([null, null]);
  });

  test('are found at any depth that the values have, and end where a type is within itself', () => {
    const query =
      'query($deep: Deep, $album: Album, $tree: Tree) { a(deep: $deep, album: $album, tree: $tree) }';
    const album = { pages: [{ photos: [null] }, { photos: [] }, { photos: [null, null] }] };
    const tree = { children: [{ children: [{ name: 'x' }] }] };
    expect(names(slotsOf(MADE, query, { album, tree }))).toEqual([
      'deep.file',
      'album.pages[0].photos[0]',
      'album.pages[2].photos[0]',
      'album.pages[2].photos[1]',
      'album.cover',
      'tree.children[0].children[0].leaf',
      'tree.children[0].leaf',
      'tree.leaf',
    ]);
  });

  test('are one for each entry that has words beside its file', () => {
    const groups = slotsOf(MADE, 'query($wall: [Framed!]) { a(wall: $wall) }', {
      wall: [{ image: null, caption: 'x' }],
    });
    expect(names(groups)).toEqual(['wall[0].image']);
    expect(groups).toMatchObject([{ isList: true, takesIds: false }]);
  });

  test('are none of an operation whose types the schema does not have', () => {
    expect(slotsOf(MADE, 'query($a: Nothing, $b: Int) { a }', {})).toEqual([]);
  });
});
