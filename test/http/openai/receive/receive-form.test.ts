import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { BOUNDARY, type FormPart, filePart, formBody } from '../../../support/multipart.ts';
import { jpeg, noisePng, png, pngWithAlpha } from '../../../support/test-images.ts';
import { receiveServer } from './receive-server.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const text = (name: string, content: string): FormPart => ({ name, content });
const PROMPT = text('prompt', 'a hat');
const shas = (images: { sha256: string }[]) => images.map((image) => image.sha256);

describe('images of a form', () => {
  test.each([
    ['image', ['image']],
    ['image[]', ['image[]']],
    ['image several times', ['image', 'image']],
    ['image[] several times', ['image[]', 'image[]', 'image[]']],
    ['images[]', ['images[]', 'images[]']],
  ])('have the order in which they came: %s', async (_, names) => {
    const server = await receiveServer();
    const files = await Promise.all(names.map((_, index) => png(8 + index, 8)));
    const parts = names.map((name, index) => filePart(name, files[index] ?? Buffer.alloc(0)));
    const { status, images, mask, params } = await server.form([...parts, PROMPT]);
    expect(status).toBe(200);
    expect(shas(images)).toEqual(files.map(sha256));
    expect(mask).toBeNull();
    expect(params).toMatchObject({ prompt: 'a hat' });
  });

  test('have the order of their numbers, beyond nine too', async () => {
    const server = await receiveServer();
    const files = await Promise.all(Array.from({ length: 12 }, (_, index) => png(8 + index, 8)));
    const parts = files.map((file, index) => filePart(`image[${index}]`, file));
    const { images } = await server.form([PROMPT, ...parts.toReversed()]);
    expect(shas(images)).toEqual(files.map(sha256));
  });

  test('may come before or after the fields and the mask', async () => {
    const server = await receiveServer();
    const [image, alpha] = [await jpeg(), await pngWithAlpha()];
    const parts = [filePart('image', image), PROMPT, filePart('mask', alpha), text('n', '2')];
    for (const order of [parts, parts.toReversed()]) {
      const { images, mask, params } = await server.form(order);
      expect(shas(images)).toEqual([sha256(image)]);
      expect(mask).toMatchObject({ sha256: sha256(alpha), bytes: alpha.length });
      expect(params).toMatchObject({ prompt: 'a hat', n: 2 });
    }
  });

  test.each<[string, string | undefined, string | undefined]>([
    ['no name but a type', undefined, 'image/png'],
    ['no name and an unknown type', undefined, 'application/octet-stream'],
    ['a name and no type', 'a.png', undefined],
    ['a type that is wrong', 'a.txt', 'text/plain'],
    ['a name in UTF-8', 'bild-ü-画.png', 'image/png'],
    ['a name that leads elsewhere', '../../../etc/passwd', 'image/png'],
    ['a name with an escaped quote', 'a\\".png', 'image/png'],
    ['a name with a semicolon', 'a; name=prompt.png', 'image/png'],
    ['a name with a line break', 'a\r\nContent-Disposition: form-data; name=x', 'image/png'],
    ['a name of 4 kB', 'a'.repeat(4_096), 'image/png'],
    ['an empty name', '', 'image/png'],
  ])('are told by their bytes: %s', async (_, filename, type) => {
    const server = await receiveServer();
    const image = await png();
    const part: FormPart = {
      name: 'image',
      content: image,
      ...(filename !== undefined && { filename }),
      ...(type !== undefined && { type }),
    };
    const { status, images } = await server.form([part, PROMPT]);
    expect(status).toBe(200);
    expect(shas(images)).toEqual([sha256(image)]);
  });

  test('may have a name as in RFC 5987 only', async () => {
    const server = await receiveServer();
    const image = await png();
    const part = { name: `image"; filename*="UTF-8''b%C3%BCld.png`, content: image };
    expect(shas((await server.form([part, PROMPT])).images)).toEqual([sha256(image)]);
  });

  test('are not given by an empty file field of a browser', async () => {
    const server = await receiveServer();
    const image = await png();
    const empty = { ...filePart('mask', Buffer.alloc(0), ''), type: 'application/octet-stream' };
    const { status, images, mask } = await server.form([filePart('image', image), empty, PROMPT]);
    expect({ status, count: images.length, mask }).toEqual({ status: 200, count: 1, mask: null });
  });

  test('are refused if they come as text, with a hint', async () => {
    const server = await receiveServer();
    const { status, problems } = await server.form([text('image[]', '@hat.png'), PROMPT]);
    expect(status).toBe(400);
    expect(problems).toMatchObject([{ field: 'image[]', code: 'INVALID_VALUE' }]);
    expect(problems[0]?.message).toContain('Send a file');
  });

  test('may be sixteen and a mask; the next is refused', async () => {
    const server = await receiveServer();
    const image = await png(8, 8);
    const sixteen = Array.from({ length: 16 }, () => filePart('image[]', image));
    const mask = filePart('mask', image);
    const { status, images } = await server.form([...sixteen, mask, PROMPT]);
    expect([status, images.length]).toEqual([200, 16]);
    const tooMany = await server.form([...sixteen, filePart('image[]', image), PROMPT]);
    expect(tooMany.problems).toMatchObject([{ field: 'image', code: 'TOO_MANY' }]);
    const twoMasks = await server.form([filePart('image', image), mask, mask]);
    expect(twoMasks.problems).toMatchObject([{ field: 'mask', code: 'TOO_MANY' }]);
    expect(await server.stagedFiles()).toEqual([]);
  });

  test('may have exactly the limit of bytes, and not one more', async () => {
    const server = await receiveServer({ maxFileBytes: 150_000 });
    const exact = filePart('image[]', await noisePng(150_000));
    expect((await server.form([exact, PROMPT])).status).toBe(200);
    const over = filePart('image[]', await noisePng(150_001));
    const { problems } = await server.form([exact, over, PROMPT]);
    expect(problems).toMatchObject([{ field: 'image[1]', code: 'TOO_LARGE' }]);
    expect(problems[0]?.message).toContain('150,000');
    expect(await server.stagedFiles()).toEqual([]);
  });

  test('are all reported, with the fields that are wrong', async () => {
    const server = await receiveServer({
      check: ({ prompt, imageCount }) => {
        expect([prompt, imageCount]).toEqual(['', 3]);
      },
    });
    const { status, problems } = await server.form([
      filePart('image[]', Buffer.from('%PDF-1.7 not an image')),
      text('n', '2.5'),
      filePart('image[]', await png()),
      filePart('image[]', (await png()).subarray(0, 100)),
      text('output_format', 'gif'),
    ]);
    expect(status).toBe(400);
    expect(problems.map(({ field }) => field)).toEqual([
      'image[0]',
      'image[2]',
      'n',
      'output_format',
    ]);
    expect(await server.stagedFiles()).toEqual([]);
  });
});

describe('a file in another field', () => {
  test('is refused', async () => {
    const server = await receiveServer();
    const { problems } = await server.form([filePart('style', await png()), PROMPT]);
    expect(problems).toMatchObject([{ field: 'style', code: 'INVALID_VALUE' }]);
  });
});

describe('a body', () => {
  const body = async () => formBody([filePart('image', await png()), PROMPT]);

  test('may have a preamble, an epilogue, padding, and bytes that look like its boundary', async () => {
    const server = await receiveServer();
    const tricky = `\r\n--${BOUNDARY.slice(0, -1)}\r\n--\r\n-\r\r\n\n--x`;
    const whole = Buffer.concat([
      Buffer.from('preamble\r\n'),
      Buffer.from(`--${BOUNDARY} \t\r\n`),
      formBody([text('prompt', tricky)]).subarray(BOUNDARY.length + 4),
      Buffer.from('epilogue'),
    ]);
    const type = `multipart/form-data; charset=utf-8; boundary="${BOUNDARY}"`;
    const { status, params } = await server.post(whole, { 'content-type': type });
    expect([status, params['prompt']]).toEqual([200, tricky]);
  });

  test('of another type is refused with 415', async () => {
    const server = await receiveServer();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
      const { status, code } = await server.post(await body(), { 'content-type': type });
      expect([status, code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    }
  });

  test('that is compressed is refused with 415', async () => {
    const server = await receiveServer();
    const { status, message } = await server.post(await body(), {
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      'content-encoding': 'gzip',
    });
    expect(status).toBe(415);
    expect(message).toContain('gzip');
  });

  test('whose declared length exceeds the limits is refused with 413, unread', async () => {
    const server = await receiveServer({ maxFileBytes: 1_000 });
    const { status, code } = await server.post(Buffer.alloc(0), {
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      'content-length': 20_000_000,
    });
    expect([status, code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });

  test('without a length that exceeds the limits is refused with 413', async () => {
    const server = await receiveServer({ maxFileBytes: 1_000 });
    const { status, code } = await server.form([
      filePart('image', Buffer.alloc(5_000_000, 'x')),
      PROMPT,
    ]);
    expect([status, code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(server.places.taken).toBe(0);
  });
});
