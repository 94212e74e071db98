import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createJsonReader } from '../../../../src/http/openai/receive/json-reader.ts';

async function read(json: string, size: number) {
  const bytes = Buffer.from(json);
  let at = 0;
  const next = async () => {
    const chunk = bytes.subarray(at, at + size);
    at += size;
    return chunk.length === 0 ? null : chunk;
  };
  const reader = createJsonReader({ next }, { imageKeys: new Set(['images']) });
  const found: { field: string; placeholder: string; text: string }[] = [];
  for (let image = await reader.next(); image !== null; image = await reader.next()) {
    const { field, placeholder, body } = image;
    const pieces: Buffer[] = [];
    for await (const piece of body.stream()) pieces.push(Buffer.from(piece));
    found.push({ field, placeholder, text: Buffer.concat(pieces).toString() });
  }
  return { found, document: reader.document() };
}

test('images are found alike, however the document is cut into chunks', async () => {
  const json = '{"a\\"b":"data:x","images":[{"image_url":"data:AB\\/CD"},"daten","data"]}';
  for (let size = 1; size < 80; size += 1) {
    const { found, document } = await read(json, size);
    expect(found).toMatchObject([{ field: 'images[0].image_url', text: 'AB/CD' }]);
    expect(document).toEqual({
      'a"b': 'data:x',
      images: [{ image_url: found[0]?.placeholder }, 'daten', 'data'],
    });
  }
});

test('a placeholder cannot be guessed', async () => {
  const [first, second] = [
    await read('{"images":"data:"}', 9),
    await read('{"images":"data:"}', 9),
  ];
  expect(first.found[0]?.placeholder).not.toBe(second.found[0]?.placeholder);
});

test('a document is read as JSON.parse reads it, whatever is in it', async () => {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('', 'data', 'data:AA', 'da"ta:', 'x\\', '\u0000é𝄞', ':,{}[]'),
      fc.integer(),
      fc.constantFrom(null, true),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('images', 'a', '__proto__', '"\\'), tie('tree'), {
        maxKeys: 3,
      }),
    ),
  }));
  const document = fc.dictionary(fc.constantFrom('images', 'b', 'c"'), tree, { maxKeys: 3 });
  await fc.assert(
    fc.asyncProperty(document, fc.integer({ min: 1, max: 30 }), async (value, size) => {
      const json = JSON.stringify(value);
      const { found, document: seen } = await read(json, size);
      const texts = new Map(found.map(({ placeholder, text }) => [placeholder, `data:${text}`]));
      const restored = JSON.stringify(seen, (_, item) => texts.get(item) ?? item);
      expect(restored).toBe(json);
      const inImages = JSON.stringify(value['images'] ?? null);
      expect(found).toHaveLength(inImages.match(/"data:AA"(?!:)/g)?.length ?? 0);
    }),
    { numRuns: 300 },
  );
});
