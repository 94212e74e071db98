import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { jpeg, noisePng, png, pngWithAlpha } from '../../../support/test-images.ts';
import { receiveServer, STORED_ID, UNKNOWN_ID } from './receive-server.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const dataUrl = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`;
const asUrl = (bytes: Buffer) => ({ image_url: dataUrl(bytes) });

describe('images in JSON', () => {
  test('are received from data URLs, in order, with the mask', async () => {
    const server = await receiveServer();
    const files = await Promise.all([png(), jpeg(), noisePng(200_001)]);
    const mask = await pngWithAlpha();
    const received = await server.json({
      mask: asUrl(mask),
      images: files.map(asUrl),
      prompt: 'a hat',
    });
    expect(received.status).toBe(200);
    expect(received.images.map((image) => image.sha256)).toEqual(files.map(sha256));
    expect(received.mask).toMatchObject({ sha256: sha256(mask) });
    expect(received.params).toMatchObject({ prompt: 'a hat', extraParams: null });
  });

  test.each<[string, (url: string) => unknown]>([
    ['images as strings', (url) => ({ images: [url] })],
    ['images as one object', (url) => ({ images: { image_url: url } })],
    ['image as a string', (url) => ({ image: url })],
    ['image as a list', (url) => ({ image: [{ image_url: url }] })],
    ['a URL as in chat completions', (url) => ({ images: [{ image_url: { url } }] })],
    ['other members beside it', (url) => ({ images: [{ type: 'input_image', image_url: url }] })],
  ])('are understood: %s', async (_, document) => {
    const server = await receiveServer();
    const image = await png();
    const { status, images } = await server.json(document(dataUrl(image)));
    expect(status).toBe(200);
    expect(images).toMatchObject([{ sha256: sha256(image) }]);
  });

  test('are read with the escapes and line breaks of other encoders', async () => {
    const server = await receiveServer();
    const image = await noisePng(100_000);
    const url = dataUrl(image)
      .replace('image/png', 'IMAGE/x; charset=utf-8')
      .replace('data:', 'DATA:');
    const lines = url.replaceAll(/(.{76})/g, '$1\r\n');
    for (const json of [
      JSON.stringify({ images: [{ image_url: url }] }).replaceAll('/', '\\/'),
      JSON.stringify({ images: [{ image_url: url }] }).replaceAll('=', '\\u003d'),
      JSON.stringify({ images: [{ image_url: lines }] }),
      JSON.stringify({ images: [{ image_url: url }] }, null, 2),
    ]) {
      const { images, message } = await server.json(json);
      expect([message, images?.[0]?.sha256]).toEqual([undefined, sha256(image)]);
    }
  });

  test('may be stored ones, by their ids', async () => {
    const server = await receiveServer();
    const image = await png();
    const received = await server.json({
      images: [{ file_id: STORED_ID }, asUrl(image), STORED_ID],
      mask: { file_id: STORED_ID },
    });
    expect(received.images.map(({ kind }) => kind)).toEqual(['stored', 'received', 'stored']);
    expect(received.mask?.kind).toBe('stored');
  });

  test('are not found by an unknown id, and none is kept', async () => {
    const server = await receiveServer();
    for (const id of [UNKNOWN_ID, 'file-abc123']) {
      const { status, code } = await server.json({
        images: [asUrl(await png()), { file_id: id }],
      });
      expect([status, code]).toEqual([404, 'NOT_FOUND']);
    }
    expect(await server.stagedFiles()).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['a number', { images: [5] }, 'images[0]'],
    ['an empty object', { images: [{}] }, 'images[0]'],
    ['a list in a list', { images: [['data:,']] }, 'images[0][0]'],
    ['both', { images: [{ image_url: 'https://a.example', file_id: 'x' }] }, 'images[0]'],
    ['an id that is a number', { images: [{ file_id: 5 }] }, 'images[0]'],
    ['another scheme', { images: [{ image_url: 'ftp://a.example' }] }, 'images[0].image_url'],
    ['a path', { images: [{ image_url: '/etc/passwd' }] }, 'images[0].image_url'],
    ['a file URL', { image: 'file:///etc/passwd' }, 'image'],
    ['a data URL without base64', { mask: { image_url: 'data:image/png,abc' } }, 'mask.image_url'],
    ['an endless head', { image: `data:${'x'.repeat(9_000)}` }, 'image'],
    ['a data URL without data', { image: 'data:image/png;base64' }, 'image'],
    ['an empty image', { image: 'data:image/png;base64,' }, 'image'],
    ['broken base64', { images: [{ image_url: 'data:;base64,iVBO*Kgo' }] }, 'images[0].image_url'],
    ['no image', { images: [{ image_url: 'data:;base64,aGVsbG8=' }] }, 'images[0].image_url'],
  ])('are refused by the name of the field: %s', async (_, document, field) => {
    const server = await receiveServer();
    const { status, problems } = await server.json(document);
    expect([status, problems[0]?.field]).toEqual([400, field]);
    expect(await server.stagedFiles()).toEqual([]);
  });

  test('are refused as bare base64, with a hint', async () => {
    const server = await receiveServer();
    const { problems } = await server.json({ image: 'iVBORw0K'.repeat(200_000) });
    expect(problems).toMatchObject([{ field: 'image' }]);
    expect(problems[0]?.message).toContain('data:image/png;base64');
  });

  test('are bounded while they arrive, also where one key replaces another', async () => {
    const server = await receiveServer();
    const members = Array.from({ length: 18 }, async () => `"mask":"${dataUrl(await png(4, 4))}"`);
    const { problems } = await server.json(`{${(await Promise.all(members)).join()}}`);
    expect(problems).toMatchObject([{ field: 'mask', code: 'TOO_MANY' }]);
    expect(await server.stagedFiles()).toEqual([]);
  });

  test('may have exactly the limit of bytes, and not one more', async () => {
    const server = await receiveServer({ maxFileBytes: 150_000 });
    const exact = asUrl(await noisePng(150_000));
    expect((await server.json({ images: [exact] })).status).toBe(200);
    const { problems } = await server.json({ images: [exact, asUrl(await noisePng(150_001))] });
    expect(problems).toMatchObject([{ field: 'images[1].image_url', code: 'TOO_LARGE' }]);
  });

  test('may be sixteen and a mask, whether they are sent or named', async () => {
    const server = await receiveServer();
    const image = asUrl(await png(8, 8));
    const mask = image;
    const sixteen = Array.from({ length: 16 }, () => image);
    expect((await server.json({ images: sixteen, mask })).images).toHaveLength(16);
    for (const images of [
      [...sixteen, image],
      [...sixteen, { file_id: STORED_ID }],
      [...sixteen, image, image],
    ]) {
      const { problems } = await server.json({ images, mask });
      expect(problems).toMatchObject([{ code: 'TOO_MANY' }]);
    }
    expect(await server.stagedFiles()).toEqual([]);
  });

  test('are all reported', async () => {
    const server = await receiveServer();
    const broken = { image_url: 'data:;base64,aGVsbG8=' };
    const { problems } = await server.json({ images: [broken, {}, broken], n: 'x', prompt: 5 });
    expect(problems.map(({ field }) => field).toSorted()).toEqual([
      'images[0].image_url',
      'images[1]',
      'images[2].image_url',
      'n',
      'prompt',
    ]);
  });

  test('that a later key of the same name replaces are not kept', async () => {
    const server = await receiveServer();
    const [first, second] = [await png(8, 8), await png(9, 9)];
    const json = `{"image":"${dataUrl(first)}","image":"${dataUrl(second)}","prompt":"p"}`;
    const { images } = await server.json(json);
    expect(images).toMatchObject([{ sha256: sha256(second) }]);
    expect(await server.stagedFiles()).toEqual([]);
  });
});

describe('a text that begins like an image', () => {
  test('stays text elsewhere', async () => {
    const server = await receiveServer();
    const { params } = await server.json({ prompt: 'data:image/png;base64,AAAA' });
    expect(params['prompt']).toBe('data:image/png;base64,AAAA');
  });
});
