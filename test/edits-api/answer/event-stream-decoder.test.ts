import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AnswerLimits, DecodedAnswer } from '../../../src/edits-api/answer/answer-decoder.ts';
import { createSniffingDecoder } from '../../../src/edits-api/answer/sniffing-decoder.ts';
import { EditsApiError } from '../../../src/edits-api/edits-api-error.ts';
import { discardStagedFile } from '../../../src/images/storage/fs-staging.ts';
import type { StagedFile } from '../../../src/images/storage/staging.ts';
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

interface EventOptions {
  readonly lineEnd?: string;
  readonly name?: boolean;
}

function eventOf(type: string, data: object, { lineEnd = '\n', name = true }: EventOptions = {}) {
  const json = JSON.stringify({ type, ...data });
  return `${name ? `event: ${type}${lineEnd}` : ''}data: ${json}${lineEnd}${lineEnd}`;
}
const usage = (input: number, output: number) => ({
  total_tokens: input + output,
  input_tokens: input,
  output_tokens: output,
  input_tokens_details: { text_tokens: 1, image_tokens: input - 1 },
});
const partial = (image: Buffer, index = 0, options: EventOptions = {}) =>
  eventOf(
    'image_edit.partial_image',
    { b64_json: image.toString('base64'), partial_image_index: index },
    options,
  );
const completed = (image: Buffer, more: object = {}, options: EventOptions = {}) =>
  eventOf(
    'image_edit.completed',
    { created_at: 7, b64_json: image.toString('base64'), size: '1024x1024', ...more },
    options,
  );

/** Decodes what arrives in the given pieces, and answers with the contents of what was staged. */
async function decode(
  chunks: Iterable<Buffer>,
  { limits = generous, storage = temporaryStorage(), isCut = false, expectedImages = 1 } = {},
) {
  const { staging, stagedFiles } = await storage;
  const taken: StagedFile[] = [];
  const decoder = createSniffingDecoder({
    staging,
    limits,
    expectedImages,
    onPartialImage(image, index) {
      expect(index).toBe(taken.length);
      taken.push(image);
    },
  });
  const contents = (files: Iterable<StagedFile>) =>
    Promise.all([...files].map(({ path }) => readFile(path)));
  try {
    for (const chunk of chunks) await decoder.write(chunk);
    const answer: DecodedAnswer = await decoder.end({ isCut });
    if (answer.images.size + answer.urls.size === 0) throw answer.failure;
    return {
      ...answer,
      contents: await contents(answer.images.values()),
      partials: await contents(taken),
    };
  } finally {
    await decoder.discard();
    for (const file of taken) await discardStagedFile(file);
    expect(await stagedFiles()).toEqual([]);
  }
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

describe('an answer that is an event stream', () => {
  it('brings images on the way, its image, and the body of a JSON answer', async () => {
    const [first = signature, second = signature, last = signature] = images;
    const answer = await decodeText(
      partial(first) + partial(second, 1) + completed(last, { usage: usage(5, 6), quality: 'low' }),
    );
    expect(answer.partials).toEqual([first, second]);
    expect(answer.contents).toEqual([last]);
    expect(answer.body).toEqual({
      created: 7,
      size: '1024x1024',
      quality: 'low',
      data: [{}],
      usage: usage(5, 6),
    });
  });

  it('adds the usages of several images up, and knows none when one is missing', async () => {
    const [first = signature, second = signature] = images;
    const both = completed(first, { usage: usage(5, 6) });
    const whole = await decodeText(both + completed(second, { usage: usage(1, 20) }));
    expect(whole.contents).toEqual([first, second]);
    expect(whole.body).toMatchObject({
      data: [{}, {}],
      usage: { ...usage(6, 26), input_tokens_details: { text_tokens: 2, image_tokens: 4 } },
    });
    const part = await decodeText(both + completed(second));
    expect(part.body).not.toHaveProperty('usage');
  });

  it('is the same however its bytes are cut, its lines end, and what stands between', async () => {
    const storage = temporaryStorage();
    const image = fc
      .uint8Array({ maxLength: 400 })
      .map((bytes) => Buffer.concat([signature, bytes]));
    const noise = fc.constantFrom(
      '',
      ': keep-alive\n\n',
      'event: ping\ndata: {"b64_json":"no image"}\n\n',
      'id: 7\nretry: 10\ndata:\n\n',
      ':\n',
      '\n\n',
      'event: ping\ndata: no json\n\n',
      'data: [DONE]\n\n',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(image, { maxLength: 3 }),
        fc.array(image, { minLength: 1, maxLength: 3 }),
        fc.array(noise, { minLength: 8, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.boolean(),
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })),
        fc.array(fc.nat(), { maxLength: 30 }),
        async (partials, outputs, noises, lineEnd, name, extra, places) => {
          const events = [
            ...partials.map((one, i) => partial(one, i, { name })),
            ...outputs.map((one) => completed(one, { extra }, { name })),
          ].flatMap((event, i) => [noises[i] ?? '', event]);
          const text = `${events.join('')}${noises[7]}`.replaceAll('\n', lineEnd);
          const answer = await decode(cut(Buffer.from(text), places), { storage });
          expect(answer.partials).toEqual(partials);
          expect(answer.contents).toEqual(outputs);
          expect(answer.body).toMatchObject({ extra: JSON.parse(JSON.stringify(extra)) });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is read one byte at a time', async () => {
    const [first = signature, last = signature] = images;
    const text = Buffer.from(partial(first) + completed(last));
    const answer = await decode(cut(text, [...text.keys()]));
    expect(answer.contents).toEqual([last]);
    expect(answer.partials).toEqual([first]);
  });

  it('fails wherever it is cut before its image is whole, and has it from there on', async () => {
    const storage = temporaryStorage();
    const small = Buffer.concat([signature, randomBytes(30)]);
    const text = Buffer.from(partial(small) + completed(small, { usage: usage(1, 2) }));
    const imageEnd = text.lastIndexOf('"', text.lastIndexOf(',"size"')) + 1;
    for (let length = 0; length < imageEnd; length += 1) {
      await expectBroken(decode([text.subarray(0, length)], { storage, isCut: true }));
    }
    for (let length = imageEnd; length < text.length - 3; length += 1) {
      const { contents, body } = await decode([text.subarray(0, length)], { storage, isCut: true });
      expect(contents).toEqual([small]);
      expect(body).not.toHaveProperty('usage');
    }
    const whole = await decode([text.subarray(0, -2)], { storage });
    expect(whole.contents).toEqual([small]);
  });

  it('passes over broken images, and fails when there is no other', async () => {
    const [first = signature, last = signature] = images;
    const text = Buffer.from('This is no image.');
    const notBase64 = partial(first).replace(/"b64_json":"[^"]{40}/, '"b64_json":"****');
    const answer = await decodeText(
      partial(text) + notBase64 + partial(first, 2) + completed(last),
    );
    expect(answer.partials).toEqual([first]);
    expect(answer.contents).toEqual([last]);
    await expectBroken(decodeText(partial(first) + completed(text)), 'not PNG, JPEG or WebP');
    await expectBroken(decodeText(completed(Buffer.alloc(0))), 'before its image');
    const beside = await decodeText(
      completed(text) + completed(first) + completed(Buffer.alloc(0)),
    );
    expect(beside.contents).toEqual([first]);
  });

  it.each([
    ['nothing but images on the way', () => partial(signature), 'before its image'],
    ['events of other kinds', () => eventOf('image_edit.other', {}), 'before its image'],
    ['an end without an image', () => eventOf('image_edit.completed', {}), 'before its image'],
    ['data that is no JSON', () => 'data: hello\n\n', ''],
  ])('fails on %s', async (_, text, message) => {
    await expectBroken(decodeText(text()), message);
  });

  it('holds its limits: images, bytes of an image, bytes of the rest', async () => {
    const [first = signature] = images;
    const two = completed(first) + completed(first);
    await decodeText(two, { ...generous, maxImages: 2, maxImageBytes: first.length });
    expect((await decodeText(two, { ...generous, maxImages: 1 })).contents).toEqual([first]);
    await expectBroken(
      decodeText(two, { ...generous, maxImageBytes: first.length - 1 }),
      `more than ${first.length - 1} bytes`,
    );
    const small = { ...generous, maxBodyBytes: 100 };
    const long = await decodeText(completed(first, { x: 'y'.repeat(100) }), small);
    expect(long.contents).toEqual([first]);
    const longBefore = `data: {"x":"${'y'.repeat(100)}","b64_json":"iVBORw0KGgo="}\n\n`;
    await expectBroken(decodeText(longBefore, small), 'besides its images');
    const padded = `: ${'x'.repeat(5_000)}\n\n${completed(first)}`;
    expect((await decodeText(padded, { ...generous, maxBodyBytes: 200 })).contents).toEqual([
      first,
    ]);
  });

  it('says what the edits API reports in its stream, the outcome unknown', async () => {
    const [first = signature] = images;
    const error = {
      message: 'No hats.',
      type: 'image_generation_user_error',
      code: 'moderation_blocked',
    };
    const reported = `event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`;
    await expect(decodeText(partial(first) + reported)).rejects.toMatchObject({
      code: 'MODERATION_BLOCKED',
      outcome: 'unknown',
      message: expect.stringContaining('No hats.'),
    });
    const bare = 'data: {"error":{"message":"overloaded"}}\n\n';
    await expect(decodeText(bare)).rejects.toMatchObject({ code: 'SERVER_ERROR' });
    // What came before it is paid for.
    expect((await decodeText(completed(first) + reported)).contents).toEqual([first]);
  });
});

describe('an answer of either kind', () => {
  it('is told apart by its first bytes, however they are cut', async () => {
    const storage = temporaryStorage();
    const [first = signature] = images;
    const answers = [
      answerOf([first]),
      `\n  ${answerOf([first])}`,
      completed(first),
      `\n\n${completed(first, {}, { name: false })}`,
      `: hello\n\n${completed(first)}`,
      `id: 1\n${completed(first)}`,
      `retry: 1\n${completed(first)}`,
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...answers), fc.array(fc.nat(12)), async (text, places) => {
        const { contents } = await decode(cut(Buffer.from(text), places), { storage });
        expect(contents).toEqual([first]);
      }),
      { numRuns: 60 },
    );
  });

  it.each(['', '  ', 'e', 'data', '<!doctype html>', 'eventually', '\n'.repeat(2_000)])(
    'fails when it is neither: %j',
    async (text) => {
      await expectBroken(decodeText(text));
    },
  );
});
