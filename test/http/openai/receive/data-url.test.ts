import { expect, test } from 'vitest';
import { decodeDataUrl } from '../../../../src/http/openai/receive/data-url.ts';

async function decode(...pieces: readonly string[]): Promise<string> {
  return decodeAll(pieces.map((piece) => Buffer.from(piece)));
}

async function decodeAll(text: Iterable<Buffer>): Promise<string> {
  const decoded: Buffer[] = [];
  const source = (async function* () {
    yield* text;
  })();
  for await (const bytes of decodeDataUrl('image', source)) decoded.push(Buffer.from(bytes));
  return Buffer.concat(decoded).toString();
}

test.each([
  [['image/png;base64,aGVsbG8=']],
  [['image/p', 'ng;bas', 'e64', ',', 'aG', 'VsbG8', '=']],
  [[';base64,aGVsbG8']],
  [['text/plain; charset=utf-8; BASE64 ,aGVs\r\nbG8=']],
])('a data: URL is decoded as its text arrives: %j', async (pieces) => {
  expect(await decode(...pieces)).toBe('hello');
});

test.each([
  ['another encoding', 'image/png,aGVsbG8='],
  ['no data', 'image/png;base64'],
  ['nothing', ''],
])('a data: URL of another form is refused: %s', async (_, text) => {
  await expect(decode(text)).rejects.toMatchObject({ field: 'image', code: 'INVALID_VALUE' });
});

test.each(['aGVsbG8*', 'a', 'aGVsbG8====', '+_aa'])(
  'broken base64 is refused: %s',
  async (text) => {
    await expect(decode(`;base64,${text}`)).rejects.toMatchObject({
      field: 'image',
      code: 'BROKEN_IMAGE',
    });
  },
);

test('the head of a data: URL is bounded', async () => {
  let pieces = 0;
  function* long() {
    for (; pieces < 1_000; pieces += 1) yield Buffer.from('image/png');
  }
  await expect(decodeAll(long())).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  expect(pieces).toBeLessThan(100);
});
