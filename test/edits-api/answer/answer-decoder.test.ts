import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AnswerLimits, DecodedAnswer } from '../../../src/edits-api/answer/answer-decoder.ts';
import { createJsonAnswerDecoder } from '../../../src/edits-api/answer/json-answer-decoder.ts';
import { EditsApiError } from '../../../src/edits-api/edits-api-error.ts';
import { temporaryStorage } from '../../support/storage.ts';
import { jpeg, png, webp } from '../../support/test-images.ts';
import { answerOf } from '../client-support.ts';

const MiB = 1024 * 1024;
const generous: AnswerLimits = { maxImages: 20, maxImageBytes: MiB, maxBodyBytes: MiB };
const signature = Buffer.from('89504e470d0a1a0a', 'hex');

let images: readonly Buffer[];
beforeAll(async () => {
  images = await Promise.all([png(), jpeg(), webp()]);
});

/** Decodes text that arrives in the given pieces, and answers with what was staged. */
async function decode(
  chunks: Iterable<Buffer>,
  { limits = generous, storage = temporaryStorage() } = {},
) {
  const { staging, stagedFiles } = await storage;
  const decoder = createJsonAnswerDecoder({ staging, limits });
  try {
    for (const chunk of chunks) await decoder.write(chunk);
    const answer = await decoder.end({ isCut: false });
    if (answer.images.size + answer.urls.size === 0) throw answer.failure;
    return { ...answer, places: [...answer.images.keys()], contents: await contentsOf(answer) };
  } finally {
    await decoder.discard();
    expect(await stagedFiles()).toEqual([]);
  }
}

async function contentsOf({ images: staged }: DecodedAnswer): Promise<Buffer[]> {
  return Promise.all([...staged.values()].map(({ path }) => readFile(path)));
}

const decodeText = (text: string, limits = generous) => decode([Buffer.from(text)], { limits });

async function expectBroken(decoding: Promise<unknown>, message = ''): Promise<void> {
  const error = await decoding.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EditsApiError);
  expect(error).toMatchObject({
    code: 'BROKEN_ANSWER',
    outcome: 'unknown',
    message: expect.stringContaining(message),
  });
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...places].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...sorted].map((start, i) => bytes.subarray(start, sorted[i] ?? bytes.length));
}

describe('the answer decoder', () => {
  it('stages each image and keeps the rest of the answer without them', async () => {
    const answer = await decodeText(answerOf(images, { size: '1024x1024', quality: 'high' }));

    expect(answer.contents).toEqual(images);
    expect(answer.body).toEqual({
      created: 1,
      data: [{}, {}, {}],
      usage: { total_tokens: 5 },
      size: '1024x1024',
      quality: 'high',
    });
  });

  it('decodes the same images and body however the bytes are cut', async () => {
    const storage = temporaryStorage();
    const image = fc.uint8Array({ maxLength: 400 });
    const decoys = fc.jsonValue({ maxDepth: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(image, { minLength: 1, maxLength: 3 }),
        fc.dictionary(fc.string(), decoys),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.nat(), { maxLength: 30 }),
        async (contents, more, indent, places) => {
          const extra = { ...more, data: null, usage: null };
          const files = contents.map((content) => Buffer.concat([signature, content]));
          const data = files.map((file) => ({
            ...extra,
            nested: { b64_json: '"decoy\\', data: [{ b64_json: 'decoy' }] },
            b64_json: file.toString('base64'),
          }));
          const document = { ...extra, data, more: [{ b64_json: 'x', url: 'https://a.example' }] };
          const text = Buffer.from(JSON.stringify(document, null, indent));
          const answer = await decode(cut(text, places), { storage });

          expect(answer.contents).toEqual(files);
          const body = JSON.parse(text.toString());
          for (const element of body.data) delete element.b64_json;
          expect(answer.body).toEqual(body);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('decodes one byte at a time', async () => {
    const text = Buffer.from(answerOf(images.slice(0, 1)));
    const answer = await decode(cut(text, [...text.keys()]));

    expect(answer.contents).toEqual(images.slice(0, 1));
  });

  it('has the images that came whole, wherever an answer is cut', async () => {
    const storage = temporaryStorage();
    const small = [1, 2].map(() => Buffer.concat([signature, randomBytes(20)]));
    const text = answerOf(small);
    const ends = [...text.matchAll(/"b64_json":"[^"]*"/g)].map((one) => one.index + one[0].length);
    for (let length = 0; length < text.length; length += 1) {
      const arrived = small.slice(0, ends.filter((end) => end <= length).length);
      const decoding = decode([Buffer.from(text.slice(0, length))], { storage });
      if (arrived.length === 0) await expectBroken(decoding);
      else {
        const { contents, body } = await decoding;
        expect(contents).toEqual(arrived);
        expect([undefined, { total_tokens: 5 }]).toContainEqual(body['usage']);
      }
    }
  });

  it('fails on base64 with a byte that does not belong there', async () => {
    const storage = temporaryStorage();
    const text = answerOf([Buffer.concat([signature, randomBytes(300)])]);
    const start = text.indexOf('b64_json":"') + 'b64_json":"'.length;
    const end = text.indexOf('"', start);
    await fc.assert(
      fc.asyncProperty(
        // Not the last two places, where a pad may well stand.
        fc.integer({ min: start, max: end - 3 }),
        fc.constantFrom('!', '=', '\0', '\u00e9', '\\u003d', '\\b', '\\\\'),
        fc.boolean(),
        async (at, wrong, insert) => {
          const broken = text.slice(0, at) + wrong + text.slice(insert ? at : at + 1);
          await expectBroken(decode([Buffer.from(broken)], { storage }));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('fails on base64 of which a single letter is left over', async () => {
    const text = answerOf([Buffer.concat([signature, randomBytes(301)])]);
    await expectBroken(decodeText(text.replace(/[^"]{3}"}]/, '"}]')), 'incomplete base64');
  });

  it('fails on base64 that mixes both alphabets', async () => {
    const image = Buffer.concat([signature, Buffer.from('fbf0', 'hex')]).toString('base64');
    await expectBroken(decodeText(`{"data":[{"b64_json":"${image}-_-_"}]}`), 'not valid base64');
  });

  it.each<[string, (base64: string) => string]>([
    ['with line breaks', (base64) => base64.replaceAll(/.{76}/g, '$&\r\n')],
    ['with blanks around', (base64) => ` \n\t${base64}\n `],
    ['without padding', (base64) => base64.replace(/=+$/, '')],
    ['in the alphabet of URLs', (base64) => Buffer.from(base64, 'base64').toString('base64url')],
    ['as a data: URL', (base64) => `data:image/png;base64,${base64}`],
    ['as a data: URL with parameters', (base64) => `DATA:image/png;x=y;BASE64,\n${base64}`],
  ])('decodes base64 %s', async (_, form) => {
    const contents = [400, 401, 402].map((n) => Buffer.concat([signature, randomBytes(n)]));
    const texts = contents.map((one) => form(one.toString('base64')));
    const text = JSON.stringify({ data: texts.map((b64_json) => ({ b64_json })) });
    expect((await decodeText(text)).contents).toEqual(contents);
    const bytes = Buffer.from(text);
    expect((await decode(cut(bytes, [...bytes.keys()]))).contents).toEqual(contents);
  });

  it.each<[string, (base64: string) => unknown]>([
    [
      'an empty base64 text beside it',
      (b) => ({ data: [{ b64_json: '', url: `data:image/png;base64,${b}` }] }),
    ],
    ['base64 in the place of the URL', (b) => ({ data: [{ url: b }] })],
    ['other names', (b) => ({ images: [{ image_base64: b }] })],
    ['no keys', (b) => ({ images: [b] })],
    ['an object for a list', (b) => ({ data: { b64_json: b } })],
    ['a wrapper', (b) => ({ code: 0, msg: 'ok', data: { created: 1, data: [{ b64_json: b }] } })],
    ['no wrapper', (b) => [{ b64_json: b }]],
    ['nothing around', (b) => ({ b64_json: b })],
    [
      'an object for an image',
      (b) => ({ result: { image: { url: `data:image/png;base64,${b}` } } }),
    ],
    ['the same list twice', (b) => ({ images: [{ b64_json: b }], data: [{ b64_json: b }] })],
  ])('finds an image with %s', async (_, document) => {
    const [image = Buffer.alloc(0)] = images;
    const text = JSON.stringify(document(image.toString('base64')));
    expect((await decodeText(text)).contents).toEqual([image]);
    const escaped = Buffer.from(text.replaceAll('/', '\\/'));
    expect((await decode(cut(escaped, [...escaped.keys()]))).contents).toEqual([image]);
  });

  it('finds links with escapes, and in the place of base64', async () => {
    const { urls } = await decodeText(
      '{"data":[{"b64_json":"https:\\/\\/a.example\\/1"},{"url":" /2 "},{"url":""},{"image":"word"},{"image":"http://a.example/3?a=\\u0026b"}]}',
    );
    expect([...urls.values()]).toEqual(['https://a.example/1', '/2', 'http://a.example/3?a=&b']);
  });

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['null', { b64_json: null }],
    ['an empty text', { b64_json: '' }],
    ['bad base64', { b64_json: 'iVBORw0KGgo*' }],
    ['a data: URL without base64', { url: 'data:image/svg+xml,<svg/>' }],
    ['a text', { b64_json: Buffer.from('<html>').toString('base64') }],
    [
      'an image that is too large',
      { b64_json: Buffer.concat([signature, randomBytes(MiB)]).toString('base64') },
    ],
    ['an object', { b64_json: { a: 1 } }],
  ])('has the good images around an element with %s', async (_, element) => {
    const [first = signature, last = signature] = images;
    const good = [first, last].map((image) => ({ b64_json: image.toString('base64') }));
    const answer = await decodeText(JSON.stringify({ data: [good[0], element, good[1]] }));
    expect(answer.contents).toEqual([first, last]);
    expect(answer.places).toEqual([0, answer.places[1]]);
  });

  it('passes over what is behind the document, and needs nothing of it', async () => {
    const [image = Buffer.alloc(0)] = images;
    const { staging } = await temporaryStorage();
    const decoder = createJsonAnswerDecoder({ staging, limits: generous });
    const text = answerOf([image]);
    await decoder.write(Buffer.from(text.slice(0, -1)));
    expect(decoder.state).toBe('more');
    await decoder.write(Buffer.from(`${text.slice(-1)} and {more`));
    expect(decoder.state).toBe('whole');
    await decoder.write(Buffer.from(text));
    const { images: staged, body } = await decoder.end({ isCut: true });
    expect(staged.size).toBe(1);
    expect(body['usage']).toEqual({ total_tokens: 5 });
    await decoder.discard();
  });

  it('believes no usage that is cut', async () => {
    const [image = Buffer.alloc(0)] = images;
    const text = answerOf([image], {
      usage: { total_tokens: 30, input_tokens: 10, output_tokens: 20, more: 1 },
    });
    const answer = await decodeText(text.slice(0, text.indexOf(',"more')));
    expect(answer.contents).toEqual([image]);
    expect(answer.body['usage']).toBeUndefined();
  });

  it('takes slashes, plus signs and MIME line breaks that are escaped', async () => {
    const [image = Buffer.alloc(0)] = images;
    const lines = image.toString('base64').replaceAll(/.{76}/g, '$&\n');
    const text = JSON.stringify({ data: [{ b64_json: lines }] })
      .replaceAll('/', '\\/')
      .replaceAll('+', '\\u002B')
      .replaceAll('M', '\\u004d')
      .replace('b64_json', 'b64\\u005fjson');
    const answer = await decode(
      cut(
        Buffer.from(text),
        [...text].map((_, i) => i * 7),
      ),
    );

    expect(answer.contents).toEqual([image]);
    expect(answer.body).toEqual({ data: [{}] });
  });

  it('decodes images whose base64 fills its blocks exactly, with padding and without', async () => {
    const block = (32 * 1024 * 3) / 4;
    for (const bytes of [block - 2, block - 1, block, block + 1, 2 * block, 2 * block - 1]) {
      const image = Buffer.concat([signature, randomBytes(bytes - signature.length)]);
      const { contents } = await decodeText(answerOf([image]));
      expect(contents[0]?.equals(image)).toBe(true);
    }
  });

  it('answers with the URLs of images that are elsewhere, by their place', async () => {
    const [image = Buffer.alloc(0)] = images;
    const data = [
      { url: 'https://a.example/1' },
      { b64_json: image.toString('base64'), url: 'https://a.example/2' },
      { b64_json: null, url: 'https://a.example/3' },
    ];
    const answer = await decodeText(JSON.stringify({ data }));

    expect([...answer.urls.values()]).toEqual([1, 2, 3].map((n) => `https://a.example/${n}`));
    expect(answer.places).toEqual([1]);
    expect(answer.body['data']).toEqual(data.map(({ url }) => ({ url })));
  });

  it.each([
    ['nothing', '', 'complete JSON'],
    ['HTML', '<!doctype html><p class="a">"{"</p>', 'complete JSON'],
    ['a second document', `${answerOf([])}${answerOf([])}`, 'no image'],
    ['a missing comma', '{"data":[{"b64_json":"" "x":1}]}', ''],
    ['a raw line break in a string', '{"a":"\n","data":[]}', 'complete JSON'],
    ['too many closing brackets', ']]]]}}}}', 'complete JSON'],
    ['an array', '[]', 'no image'],
    ['null', 'null', 'no image'],
    ['no data', '{"created":1}', 'no image'],
    ['data that is no list', '{"data":{"b64_json":"xxxx"}}', 'not an image'],
    ['empty data', '{"data":[]}', 'no image'],
    ['elements without images', '{"data":[{},null,"x",{"b64_json":7}]}', 'no image'],
    ['an object as image', '{"data":[{"b64_json":{"a":"iVBORw0KGgo="}}]}', 'no image'],
    ['an empty image', '{"data":[{"b64_json":""}]}', 'no image'],
    ['an empty data: URL', '{"data":[{"b64_json":"data:image/png;base64,"}]}', 'is empty'],
    ['a text as image', answerOf([Buffer.from('<svg>')]), 'is an SVG document'],
  ])('fails on %s', async (_, text, message) => {
    await expectBroken(decodeText(text), message);
  });

  it('fails on bytes that are not UTF-8', async () => {
    await expectBroken(decode([Buffer.from([0x22, 0xff, 0x22])]), 'complete JSON');
  });

  it('holds its limits: images, bytes of an image, bytes of the rest', async () => {
    const three = answerOf(images);
    const longest = Math.max(...images.map(({ length }) => length));

    await decodeText(three, { ...generous, maxImages: 3, maxImageBytes: longest });
    const two = await decodeText(three, { ...generous, maxImages: 2 });
    expect(two.contents).toEqual(images.slice(0, 2));
    const shorter = await decodeText(three, { ...generous, maxImageBytes: longest - 1 });
    expect(shorter.contents).toEqual(images.filter(({ length }) => length < longest));
    const small = { ...generous, maxBodyBytes: 40 };
    await expectBroken(
      decodeText(answerOf([], { x: 'y'.repeat(40) }), small),
      'besides its images',
    );
    const [first = signature] = images;
    const longAfter = answerOf([first]).replace('"created":1,', '');
    expect((await decodeText(longAfter, small)).contents).toEqual([first]);
    const behind = { data: [...'xyz'].map(() => ({})).concat(JSON.parse(three).data) };
    const few = await decodeText(JSON.stringify(behind), { ...generous, maxImages: 3 });
    expect(few.contents).toEqual(images);
    const urls = JSON.stringify({
      data: [1, 2, 3].map((n) => ({ url: `https://a.example/${n}` })),
    });
    expect((await decodeText(urls, { ...generous, maxImages: 2 })).urls.size).toBe(2);
  });
});
