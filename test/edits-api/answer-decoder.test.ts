import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AnswerLimits,
  createJsonAnswerDecoder,
  type DecodedAnswer,
} from '../../src/edits-api/answer-decoder.ts';
import { EditsApiError } from '../../src/errors.ts';
import { jpeg, png, webp } from '../support/pictures.ts';
import { temporaryStorage } from '../support/storage.ts';
import { answerOf } from './client-support.ts';

const MiB = 1024 * 1024;
const generous: AnswerLimits = { maxImages: 20, maxImageBytes: MiB, maxBodyBytes: MiB };
const signature = Buffer.from('89504e470d0a1a0a', 'hex');

let pictures: readonly Buffer[];
beforeAll(async () => {
  pictures = await Promise.all([png(), jpeg(), webp()]);
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
    const answer = await decoder.end();
    return { ...answer, places: [...answer.pictures.keys()], contents: await contentsOf(answer) };
  } finally {
    await decoder.discard();
    expect(await stagedFiles()).toEqual([]);
  }
}

async function contentsOf({ pictures: staged }: DecodedAnswer): Promise<Buffer[]> {
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
  it('stages each picture and keeps the rest of the answer without them', async () => {
    const answer = await decodeText(answerOf(pictures, { size: '1024x1024', quality: 'high' }));

    expect(answer.contents).toEqual(pictures);
    expect(answer.body).toEqual({
      created: 1,
      data: [{}, {}, {}],
      usage: { total_tokens: 5 },
      size: '1024x1024',
      quality: 'high',
    });
  });

  it('decodes the same pictures and body however the bytes are cut', async () => {
    const storage = temporaryStorage();
    const picture = fc.uint8Array({ maxLength: 400 });
    const decoys = fc.jsonValue({ maxDepth: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(picture, { minLength: 1, maxLength: 3 }),
        fc.dictionary(fc.string(), decoys),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.nat(), { maxLength: 30 }),
        async (contents, extra, indent, places) => {
          const files = contents.map((content) => Buffer.concat([signature, content]));
          const data = files.map((file) => ({
            ...extra,
            nested: { b64_json: 'decoy', data: [{ b64_json: 'decoy' }] },
            b64_json: file.toString('base64'),
          }));
          const document = { ...extra, b64_json: '"decoy\\', data, more: [{ b64_json: 'x' }] };
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
    const text = Buffer.from(answerOf(pictures.slice(0, 1)));
    const answer = await decode(cut(text, [...text.keys()]));

    expect(answer.contents).toEqual(pictures.slice(0, 1));
  });

  it('fails on every cut answer, wherever it is cut', async () => {
    const storage = temporaryStorage();
    const text = Buffer.from(answerOf([Buffer.concat([signature, randomBytes(50)])]));
    for (let length = 0; length < text.length; length += 1) {
      await expectBroken(decode([text.subarray(0, length)], { storage }));
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
        fc.constantFrom('-', '_', ' ', '!', '=', '\n', '\0', '\u00e9', '\\t', '\\u002d', '\\\\'),
        fc.boolean(),
        async (at, wrong, insert) => {
          const broken = text.slice(0, at) + wrong + text.slice(insert ? at : at + 1);
          await expectBroken(decode([Buffer.from(broken)], { storage }));
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([1, 2, 3])('fails when %i characters of the base64 are missing', async (missing) => {
    const text = answerOf([Buffer.concat([signature, randomBytes(300)])]);
    await expectBroken(decodeText(text.replace(new RegExp(`[^"]{${missing}}"}]`), '"}]')));
  });

  it('takes slashes, plus signs and MIME line breaks that are escaped', async () => {
    const [picture = Buffer.alloc(0)] = pictures;
    const lines = picture.toString('base64').replaceAll(/.{76}/g, '$&\n');
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

    expect(answer.contents).toEqual([picture]);
    expect(answer.body).toEqual({ data: [{}] });
  });

  it('decodes pictures whose base64 fills its blocks exactly, with padding and without', async () => {
    const block = (32 * 1024 * 3) / 4;
    for (const bytes of [block - 2, block - 1, block, block + 1, 2 * block, 2 * block - 1]) {
      const picture = Buffer.concat([signature, randomBytes(bytes - signature.length)]);
      const { contents } = await decodeText(answerOf([picture]));
      expect(contents[0]?.equals(picture)).toBe(true);
    }
  });

  it('answers with the URLs of pictures that are elsewhere, by their place', async () => {
    const [picture = Buffer.alloc(0)] = pictures;
    const data = [
      { url: 'https://a.example/1' },
      { b64_json: picture.toString('base64'), url: 'https://a.example/2' },
      { b64_json: null, url: 'https://a.example/3' },
    ];
    const answer = await decodeText(JSON.stringify({ data }));

    expect([...answer.urls]).toEqual([
      [0, 'https://a.example/1'],
      [2, 'https://a.example/3'],
    ]);
    expect(answer.places).toEqual([1]);
    expect(answer.body['data']).toEqual(data.map(({ url }) => ({ url })));
  });

  it.each([
    ['nothing', '', 'whole JSON'],
    ['HTML', '<!doctype html><p class="a">"{"</p>', 'whole JSON'],
    ['a second document', `${answerOf([])}${answerOf([])}`, 'whole JSON'],
    ['text behind the document', `${answerOf([])} x`, 'whole JSON'],
    ['a missing comma', '{"data":[{"b64_json":"" "x":1}]}', ''],
    ['a raw line break in a string', '{"a":"\n","data":[]}', 'whole JSON'],
    ['too many closing brackets', ']]]]}}}}', 'whole JSON'],
    ['an array', '[]', 'not a JSON object'],
    ['null', 'null', 'not a JSON object'],
    ['no data', '{"created":1}', 'no list of pictures'],
    ['data that is no list', '{"data":{"b64_json":"x"}}', 'no list of pictures'],
    ['empty data', '{"data":[]}', 'no picture'],
    ['elements without pictures', '{"data":[{},null,"x",{"b64_json":7}]}', 'no picture'],
    ['an object as picture', '{"data":[{"b64_json":{"a":"iVBORw0KGgo="}}]}', 'no picture'],
    ['an empty picture', '{"data":[{"b64_json":""}]}', 'is empty'],
    ['a text as picture', answerOf([Buffer.from('<svg>')]), 'is an SVG document'],
    ['a picture twice in one place', '{"data":[{"b64_json":"iVBORw0KGgo=","b64_json":""}]}', 'two'],
  ])('fails on %s', async (_, text, message) => {
    await expectBroken(decodeText(text), message);
  });

  it('fails on bytes that are not UTF-8', async () => {
    await expectBroken(decode([Buffer.from([0x22, 0xff, 0x22])]), 'whole JSON');
  });

  it('holds its limits: pictures, bytes of a picture, bytes of the rest', async () => {
    const three = answerOf(pictures);
    const longest = Math.max(...pictures.map(({ length }) => length));

    await decodeText(three, { ...generous, maxImages: 3, maxImageBytes: longest });
    await expectBroken(decodeText(three, { ...generous, maxImages: 2 }), 'more than 2 pictures');
    await expectBroken(
      decodeText(three, { ...generous, maxImageBytes: longest - 1 }),
      `more than ${longest - 1} bytes`,
    );
    await expectBroken(
      decodeText(three, { ...generous, maxBodyBytes: 40 }),
      'besides its pictures',
    );
    const urls = JSON.stringify({
      data: [1, 2, 3].map((n) => ({ url: `https://a.example/${n}` })),
    });
    await expectBroken(decodeText(urls, { ...generous, maxImages: 2 }), 'more than 2 pictures');
  });
});
