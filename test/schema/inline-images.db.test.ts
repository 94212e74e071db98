import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_INLINE_BYTES } from '../../src/schema/inline-images.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { SUBSCRIBERS } from '../support/subscriptions.ts';
import { noisePng, png } from '../support/test-images.ts';

const UPLOAD = /* GraphQL */ `
  mutation ($file: Upload!) {
    uploadImage(input: { file: $file }) { ... on UploadImagePayload { image { id bytes b64Json } } }
  }
`;
const QUERY = 'query ($id: ID!) { image(id: $id) { id b64Json } }';

const aliases = (count: number) =>
  `query ($id: ID!) { ${Array.from({ length: count }, (_, at) => `i${at}: image(id: $id) { b64Json }`).join(' ')} }`;

describe.runIf(hasDatabase)('b64Json', () => {
  let app: TestApp;
  const large = { file: new Uint8Array(), id: '' };
  const small = { file: new Uint8Array(), id: '' };
  beforeAll(async () => {
    app = await startTestApp();
    large.file = new Uint8Array(await noisePng(20_000_000));
    small.file = new Uint8Array(await png(64, 64));
    for (const image of [large, small]) {
      const { data } = await app.upload(UPLOAD, { file: null }, { file: image.file });
      image.id = data.uploadImage.image.id;
    }
  });
  afterAll(() => app?.stop());

  const toId = (file: Uint8Array) => Buffer.from(file).toString('base64');

  test('returns the file exactly, whatever its size, to a mutation too', async () => {
    for (const { file, id } of [small, large]) {
      const { data, errors } = await app.query(QUERY, { id });
      expect(errors).toBeUndefined();
      expect(data.image.b64Json === toId(file)).toBe(true);
    }
    const again = await app.upload(UPLOAD, { file: null }, { file: small.file });
    expect(again.data.uploadImage.image.b64Json).toBe(toId(small.file));
  });

  test('returns several images within the limit, one of them as often as it is selected', async () => {
    const { data, errors } = await app.query(aliases(100), { id: small.id });
    expect(errors).toBeUndefined();
    expect(new Set(Object.values(data).map((image) => JSON.stringify(image)))).toEqual(
      new Set([JSON.stringify({ b64Json: toId(small.file) })]),
    );
  });

  test.each(['identity', 'gzip', 'br'])(
    'puts each image where it was asked for, whatever the order, with %s',
    async (encoding) => {
      const other = new Uint8Array(await png(32, 32));
      const uploaded = await app.upload(UPLOAD, { file: null }, { file: other });
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'accept-encoding': encoding },
        body: JSON.stringify({
          query: `query ($one: ID!, $other: ID!) {
            a: image(id: $one) { b64Json } b: image(id: $other) { b64Json format }
            c: image(id: $one) { width b64Json } d: image(id: $other) { b64Json }
          }`,
          variables: { one: small.id, other: uploaded.data.uploadImage.image.id },
        }),
      });
      const [ofSmall, ofOther] = [toId(small.file), toId(other)];
      expect(await response.json()).toEqual({
        data: {
          a: { b64Json: ofSmall },
          b: { b64Json: ofOther, format: 'PNG' },
          c: { width: 64, b64Json: ofSmall },
          d: { b64Json: ofOther },
        },
      });
    },
  );

  test.each([2, 100])(
    'beyond the limit is null with one error: %i times one image',
    async (count) => {
      const { data, errors, httpStatus } = await app.query(aliases(count), { id: large.id });
      expect(httpStatus).toBe(200);
      expect(Object.values(data)).toEqual(Array(count).fill({ b64Json: null }));
      expect(errors).toEqual([
        {
          message: expect.stringMatching(/at most 33,554,432 bytes .* Ask for fewer .* url\.$/),
          path: ['i0', 'b64Json'],
          extensions: {
            code: 'QUERY_TOO_LARGE',
            limit: 'inlineImageBytes',
            most: MAX_INLINE_BYTES,
          },
        },
      ]);
    },
  );

  test('beyond the limit leaves the other fields, and reads no image', async () => {
    const nothingToRead = await app.query(
      `query ($id: ID!, $small: ID!) {
        a: image(id: $id) { b64Json bytes } b: image(id: $id) { b64Json bytes } c: image(id: $small) { b64Json bytes }
      }`,
      { id: large.id, small: small.id },
    );
    const image = { b64Json: null, bytes: large.file.length };
    expect(nothingToRead.data).toEqual({
      a: image,
      b: image,
      c: { b64Json: null, bytes: small.file.length },
    });
  });

  test.each(SUBSCRIBERS)('is filled in by $name', async ({ subscribe }) => {
    const edited = await app.query(
      `mutation ($id: ID!) { editImage(input: { images: [{ id: $id }], prompt: "p", wait: 60 }) {
        ... on EditImagePayload { editJob { id } } } }`,
      { id: small.id },
    );
    const query =
      'subscription ($id: ID!) { editJob(id: $id) { editJob { inputImages { b64Json } outputImages { b64Json bytes } } } }';
    const { id } = edited.data.editImage.editJob;
    const [result] = await Array.fromAsync(subscribe(app.url, query, { id }));
    const { inputImages, outputImages } = result?.data.editJob.editJob ?? {};
    expect(inputImages).toEqual([{ b64Json: toId(small.file) }]);
    expect(Buffer.from(outputImages[0].b64Json, 'base64')).toHaveLength(outputImages[0].bytes);
  });
});
