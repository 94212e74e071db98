import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { EDIT } from '../support/operations.ts';
import { jpeg, mask, png } from '../support/test-images.ts';

describe.runIf(hasDatabase)('editImage refuses', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());
  afterEach(async () => {
    expect(app.sandbox.stats().requests).toBe(0);
    const { data } = await app.query('{ editJobs { totalCount } prompts { edges { cursor } } }');
    expect(data).toEqual({ editJobs: { totalCount: 0 }, prompts: { edges: [] } });
  });

  async function edit(input: object, files: Record<string, Uint8Array>) {
    const { data, errors } = await app.upload(EDIT, { input }, files);
    expect(errors).toBeUndefined();
    return data.editImage;
  }

  const good = { images: [{ file: null }], prompt: 'p' };
  test.each([
    ['an empty prompt', { ...good, prompt: ' \n' }, 'prompt', 'REQUIRED'],
    [
      'a prompt one character too long',
      { ...good, prompt: 'x'.repeat(32_001) },
      'prompt',
      'TOO_LARGE',
    ],
    ['a prompt with NUL', { ...good, prompt: 'a\0b' }, 'prompt', 'INVALID_VALUE'],
    ['a prompt with half an emoji', { ...good, prompt: 'a\ud83c' }, 'prompt', 'INVALID_VALUE'],
    ['a size the model lacks', { ...good, size: '512x512' }, 'size', 'UNSUPPORTED_VALUE'],
    ['a size that is none', { ...good, size: 'big' }, 'size', 'INVALID_VALUE'],
    ['n 0', { ...good, n: 0 }, 'n', 'TOO_SMALL'],
    ['n 11', { ...good, n: 11 }, 'n', 'TOO_LARGE'],
    ['a quality the model lacks', { ...good, quality: 'MAX' }, 'quality', 'UNSUPPORTED_VALUE'],
    [
      'a transparent JPEG',
      { ...good, background: 'TRANSPARENT', outputFormat: 'JPEG' },
      'background',
      'UNSUPPORTED_VALUE',
    ],
    [
      'compression of a PNG',
      { ...good, outputCompression: 50 },
      'outputCompression',
      'UNSUPPORTED_VALUE',
    ],
    [
      'compression of 101',
      { ...good, outputFormat: 'JPEG', outputCompression: 101 },
      'outputCompression',
      'TOO_LARGE',
    ],
    [
      'a field that has an argument',
      { ...good, extraParams: { size: '1x1' } },
      'extraParams.size',
      'INVALID_VALUE',
    ],
    [
      'a field name with CRLF',
      { ...good, extraParams: { 'a\r\nb': 1 } },
      'extraParams.a\r\nb',
      'INVALID_VALUE',
    ],
    [
      '17 labels',
      {
        ...good,
        metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i])),
      },
      'metadata',
      'TOO_MANY',
    ],
    ['a label with NUL', { ...good, metadata: { a: 'x\0' } }, 'metadata', 'INVALID_VALUE'],
    ['a wait of 601 s', { ...good, wait: 601 }, 'wait', 'TOO_LARGE'],
    ['a model’s name with a line break', { ...good, model: 'a\nb' }, 'model', 'INVALID_VALUE'],
  ])('%s', async (_, input, field, code) => {
    const result = await edit(input, { 'input.images.0.file': await png() });
    expect(result).toMatchObject({ __typename: 'InvalidInputError', field, code });
  });

  test.each([
    ['a text', Buffer.from('hello, I am a picture'), 'UNSUPPORTED_FORMAT'],
    [
      'an SVG',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
      'UNSUPPORTED_FORMAT',
    ],
    ['nothing', Buffer.alloc(0), 'TOO_SMALL'],
  ])('a picture that is %s', async (_, bytes, code) => {
    const result = await edit(
      { ...good, images: [{ file: null }, { file: null }] },
      { 'input.images.0.file': await png(), 'input.images.1.file': bytes },
    );
    expect(result).toMatchObject({ __typename: 'InvalidInputError', field: 'images[1]', code });
  });

  test('every problem of an input at once, in the order of its fields', async () => {
    const images = [{ id: 'x' }, {}];
    const input = { ...good, images, prompt: ' ', n: 0, idempotencyKey: '', wait: 601 };
    const { data } = await app.query(EDIT, { input: { ...input, images: [{ id: 'x' }] } });
    expect(data.editImage).toMatchObject({ __typename: 'InvalidInputError', field: 'prompt' });
    expect(data.editImage.message).toBe(data.editImage.problems[0].message);
    expect(
      data.editImage.problems.map(({ field, code }: Record<string, string>) => [field, code]),
    ).toEqual([
      ['prompt', 'REQUIRED'],
      ['n', 'TOO_SMALL'],
      ['idempotencyKey', 'INVALID_VALUE'],
      ['wait', 'TOO_LARGE'],
    ]);
    // The subgraph has no @oneOf.
    const response = await fetch(`${app.url}/graphql/subgraph`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: EDIT, variables: { input } }),
    });
    const result = (await response.json()) as { data: { editImage: typeof data.editImage } };
    expect(
      result.data.editImage.problems.map(({ field }: Record<string, string>) => field),
    ).toEqual(['images[1]', 'prompt', 'n', 'idempotencyKey', 'wait']);
  });

  test('every image that is invalid', async () => {
    const result = await edit(
      { ...good, images: [{ file: null }, { file: null }, { file: null }] },
      {
        'input.images.0.file': Buffer.from('hello, I am a picture'),
        'input.images.1.file': await png(),
        'input.images.2.file': Buffer.alloc(0),
      },
    );
    expect(result.problems).toMatchObject([
      { field: 'images[0]', code: 'UNSUPPORTED_FORMAT' },
      { field: 'images[2]', code: 'TOO_SMALL' },
    ]);
  });

  test('a complexity for a model without it', async () => {
    const result = await edit(
      { ...good, complexity: 'LOW' },
      { 'input.images.0.file': await png() },
    );
    expect(result).toMatchObject({ field: 'complexity', code: 'UNSUPPORTED_VALUE' });
  });

  test('a cut image', async () => {
    const whole = await jpeg(400, 300);
    const result = await edit(good, {
      'input.images.0.file': whole.subarray(0, Math.floor(whole.length * 0.99)),
    });
    expect(result).toMatchObject({ field: 'images[0]', code: 'BROKEN_IMAGE' });
  });

  test('17 images', async () => {
    const images = Array.from({ length: 17 }, () => ({ id: 'x' }));
    const { data } = await app.query(EDIT, { input: { ...good, images } });
    expect(data.editImage).toMatchObject({ field: 'images', code: 'TOO_MANY' });
  });

  test('a mask of other dimensions than the first image', async () => {
    const result = await edit(
      { ...good, mask: { file: null } },
      { 'input.images.0.file': await png(64, 48), 'input.mask.file': await mask(64, 64) },
    );
    expect(result).toMatchObject({ field: 'mask', code: 'DIMENSION_MISMATCH' });
  });

  test('a mask without alpha', async () => {
    const result = await edit(
      { ...good, mask: { file: null } },
      { 'input.images.0.file': await png(64, 48), 'input.mask.file': await png(64, 48) },
    );
    expect(result).toMatchObject({ field: 'mask', code: 'UNSUPPORTED_FORMAT' });
  });

  test.each(['nonsense', 'SW1hZ2U6MDFhMjA1YTctMTVhZi03M2JhLWI1NGMtMGQyZmEwOTUxNTAy'])(
    'the id %s of no image',
    async (id) => {
      const { data } = await app.query(EDIT, { input: { images: [{ id }], prompt: 'p' } });
      expect(data.editImage).toMatchObject({
        __typename: 'NotFoundError',
        resource: 'Image',
        id,
      });
    },
  );
});
