import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EditsApiRequest } from '../../../src/edits-api/edits-api.ts';
import {
  createMultipartBody,
  type ImageField,
} from '../../../src/edits-api/request/multipart-body.ts';
import { fileOf, requestOf } from '../client-support.ts';

const never = new AbortController().signal;

async function bytesOf(request: EditsApiRequest, imageField: ImageField = 'image[]') {
  const body = createMultipartBody(request, imageField);
  const bytes = Buffer.concat(await Array.fromAsync(body.stream(never)));
  return { body, bytes };
}

/** Reads a body with Node's own parser, which knows nothing of ours. */
async function parse(request: EditsApiRequest, imageField?: ImageField) {
  const { body, bytes } = await bytesOf(request, imageField);
  expect(bytes.length).toBe(body.contentLength);
  const response = new Response(bytes, { headers: { 'content-type': body.contentType } });
  return [...(await response.formData())];
}

describe('the multipart body', () => {
  it('is read by an independent parser as the same fields and files, in order', async () => {
    const [first, second, mask] = [randomBytes(200_000), randomBytes(1), randomBytes(70_000)];
    const entries = await parse({
      images: [
        fileOf(first),
        fileOf(second, { filename: 'image-2.webp', contentType: 'image/webp' }),
      ],
      mask: fileOf(mask, { filename: 'mask.png' }),
      fields: [
        ['prompt', 'a hat'],
        ['model', 'gpt-image-1'],
        ['prompt', 'again'],
      ],
    });

    expect(entries.slice(0, 3)).toEqual([
      ['prompt', 'a hat'],
      ['model', 'gpt-image-1'],
      ['prompt', 'again'],
    ]);
    const files = await Promise.all(
      entries.slice(3).map(async ([field, file]) => {
        if (typeof file === 'string') throw new Error(`${field} is not a file`);
        const { name, type } = file;
        return { field, name, type, bytes: Buffer.from(await file.arrayBuffer()) };
      }),
    );
    expect(files).toEqual([
      { field: 'image[]', name: 'image-1.png', type: 'image/png', bytes: first },
      { field: 'image[]', name: 'image-2.webp', type: 'image/webp', bytes: second },
      { field: 'mask', name: 'mask.png', type: 'image/png', bytes: mask },
    ]);
  });

  it('names one image image, and several as the server wants them', async () => {
    const images = [fileOf(Buffer.from('a')), fileOf(Buffer.from('b'))];
    const names = async (count: number, field: ImageField) =>
      (await parse({ images: images.slice(0, count), fields: [] }, field)).map(([name]) => name);

    expect(await names(1, 'image[]')).toEqual(['image']);
    expect(await names(2, 'image[]')).toEqual(['image[]', 'image[]']);
    expect(await names(2, 'image')).toEqual(['image', 'image']);
  });

  it('carries any text as a value, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' })), async (values) => {
        const fields = values.map((value): [string, string] => ['prompt', value]);
        const { bytes } = await bytesOf(requestOf({ fields }));
        for (const value of values) expect(bytes.includes(Buffer.from(value))).toBe(true);
        const parsed = (await parse(requestOf({ fields }))).slice(0, values.length);
        expect(parsed.map(([, value]) => value)).toEqual(values);
      }),
      { numRuns: 30 },
    );
  });

  it('lets no name or value add a header, a part or an end', async () => {
    const hostile = 'x"\r\nContent-Type: text/html\r\n\r\n--retouch--\r\n';
    const entries = await parse(
      requestOf({
        fields: [
          [hostile, hostile],
          ['prompt', 'a hat'],
        ],
      }),
    );

    expect(entries.map(([name]) => name)).toEqual([hostile, 'prompt', 'image']);
    expect(entries[0]?.[1]).toBe(hostile);
  });

  it.each([
    ['fewer', 11],
    ['more', 9],
  ])('withholds its end when a file has %s bytes than promised', async (_, bytes) => {
    const content = randomBytes(10);
    const body = createMultipartBody(
      requestOf({ images: [fileOf(content, { bytes })] }),
      'image[]',
    );
    const sent: Uint8Array[] = [];
    const sending = (async () => {
      for await (const chunk of body.stream(never)) sent.push(chunk);
    })();

    await expect(sending).rejects.toThrow('image-1.png must have');
    expect(body.progress).toBe('sending');
    expect(body.failure).not.toBeNull();
    // Nothing goes out that was not promised.
    expect(Buffer.concat(sent).includes(content)).toBe(bytes > content.length);
  });

  it('tells a file that cannot be opened from a broken connection', async () => {
    const missing = fileOf(Buffer.alloc(5), {
      open: () => createReadStream('/nowhere/to/be/seen'),
    });
    const body = createMultipartBody(requestOf({ images: [missing] }), 'image[]');

    await expect(Array.fromAsync(body.stream(never))).rejects.toThrow('ENOENT');
    expect(body.failure).toMatchObject({ code: 'ENOENT' });
  });

  it('says how far it got', async () => {
    const body = createMultipartBody(requestOf(), 'image[]');
    expect(body.progress).toBe('unsent');
    const seen: string[] = [];
    for await (const _ of body.stream(never)) seen.push(body.progress);

    expect(seen.at(-1)).toBe('sent');
    expect(new Set(seen.slice(0, -1))).toEqual(new Set(['sending']));
  });

  it('cannot be sent twice', async () => {
    const body = createMultipartBody(requestOf(), 'image[]');
    await Array.fromAsync(body.stream(never));

    await expect(Array.fromAsync(body.stream(never))).rejects.toThrow('only once');
  });

  it('stops reading a file that hangs when it is aborted', async () => {
    const controller = new AbortController();
    const hanging = new Readable({ read: () => controller.abort() });
    const body = createMultipartBody(
      requestOf({ images: [fileOf(Buffer.alloc(5), { open: () => hanging })] }),
      'image[]',
    );

    await expect(Array.fromAsync(body.stream(controller.signal))).rejects.toThrow();
    expect(hanging.destroyed).toBe(true);
    expect(body.failure).toBeNull();
  });
});
