import { createHash } from 'node:crypto';
import OpenAI from 'openai';
import type { ImageEditStreamEvent, ImagesResponse } from 'openai/resources/images';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { jpeg, mask, png, webp } from '../support/test-images.ts';
import {
  MULTIPART_HEADERS,
  multipart,
  PATIENT,
  pixels,
  plain,
  post,
  upload,
  useSandbox,
} from './support.ts';

const start = useSandbox();

function imageOf(answer: ImagesResponse, index = 0): Buffer {
  return Buffer.from(answer.data?.[index]?.b64_json ?? '', 'base64');
}

describe('the openai package', () => {
  it('gets an edited image, what was used and its tokens for one file', async () => {
    const { openai } = await start();
    const before = Math.floor(Date.now() / 1_000);
    const answer = await openai.images.edit({
      image: await upload(await jpeg(300, 200), 'image/jpeg', 'a.jpg'),
      prompt: 'a red hat',
      size: '1024x1024',
    });

    const { created, data, ...used } = answer;
    expect(created).toBeGreaterThanOrEqual(before);
    expect(created).toBeLessThanOrEqual(Date.now() / 1_000);
    expect(data).toHaveLength(1);
    expect(await sharp(imageOf(answer)).metadata()).toMatchObject({
      format: 'png',
      width: 1_024,
      height: 1_024,
      hasAlpha: false,
    });
    expect(used).toMatchObject({
      background: 'opaque',
      output_format: 'png',
      quality: 'medium',
      size: '1024x1024',
      usage: {
        total_tokens: 3 + 194 + 1_056,
        input_tokens: 3 + 194,
        output_tokens: 1_056,
        input_tokens_details: { text_tokens: 3, image_tokens: 194 },
        output_tokens_details: { image_tokens: 1_056, text_tokens: 0 },
      },
    });
  });

  it('gets n different images, and pays the output tokens n times', async () => {
    const { openai } = await start();
    const image = await upload(await png());
    const answer = await openai.images.edit({ image, prompt: 'a red hat', n: 3, quality: 'low' });

    const images = [0, 1, 2].map((index) => imageOf(answer, index).toString('base64'));
    expect(new Set(images).size).toBe(3);
    expect(answer.usage?.output_tokens).toBe(3 * 400);
  });

  it.each(['png', 'jpeg', 'webp'] as const)('gets the %s it asked for', async (format) => {
    const { openai } = await start();
    const answer = await openai.images.edit({
      image: await upload(await webp(), 'image/webp', 'a.webp'),
      prompt: 'a red hat',
      output_format: format,
    });
    expect(answer.output_format).toBe(format);
    expect((await sharp(imageOf(answer)).metadata()).format).toBe(format);
  });

  it('gets fewer bytes for a lower output_compression', async () => {
    const { openai } = await start();
    const image = await upload(await png(256, 256));
    const bytes = async (output_compression: number) => {
      const params = { prompt: 'a', output_format: 'jpeg', output_compression } as const;
      return imageOf(await openai.images.edit({ image, ...params })).length;
    };
    expect(await bytes(10)).toBeLessThan((await bytes(100)) / 2);
  });

  it.each([
    [300, 200, '1536x1024'],
    [200, 300, '1024x1536'],
    [210, 200, '1024x1024'],
  ])('gets the standard size nearest to %ix%i for size auto', async (width, height, size) => {
    const { openai } = await start();
    const image = await upload(await plain(width, height));
    const answer = await openai.images.edit({ image, prompt: 'a red hat' });
    expect(answer.size).toBe(size);
    const [outWidth, outHeight] = size.split('x').map(Number);
    const header = await sharp(imageOf(answer)).metadata();
    expect([header.width, header.height]).toEqual([outWidth, outHeight]);
  });

  it('gets transparent pixels for background transparent', async () => {
    const { openai } = await start();
    const image = await upload(await png());
    const answer = await openai.images.edit({ image, prompt: 'a', background: 'transparent' });
    const { data } = await pixels(imageOf(answer));
    expect(answer.background).toBe('transparent');
    expect(data[3]).toBe(0);
  });

  it('sees every further image in the answer', async () => {
    const { openai } = await start();
    const base = await upload(await plain(1_024, 1_024, '#808080'));
    const green = await upload(await plain(64, 64, '#00ff00'));
    const blue = await upload(await plain(64, 64, '#0000ff'));
    const answer = await openai.images.edit({
      image: [base, green, blue],
      prompt: 'a red hat',
      size: '1024x1024',
    });
    const { data } = await pixels(imageOf(answer));
    const found = { green: 0, blue: 0 };
    for (let i = 0; i < data.length; i += 4) {
      const [r = 0, g = 0, b = 0] = data.subarray(i, i + 3);
      if (g > 240 && r + b < 30) found.green += 1;
      if (b > 240 && r + g < 30) found.blue += 1;
    }
    expect(found.green).toBeGreaterThan(5_000);
    expect(found.blue).toBe(found.green);
  });

  it('gets partial images, less and less blurred, then the completed one with usage', async () => {
    const { openai } = await start();
    const stream = await openai.images.edit({
      image: await upload(await png(64, 64)),
      prompt: 'a red hat',
      stream: true,
      partial_images: 3,
      quality: 'low',
    });
    const events: ImageEditStreamEvent[] = [];
    for await (const event of stream) events.push(event);

    const indexes = events.map((one) => 'partial_image_index' in one && one.partial_image_index);
    expect(indexes).toEqual([0, 1, 2, false]);
    const sharpness = await Promise.all(
      events.map(async (event) => {
        expect(event).toMatchObject({ size: '1024x1024', quality: 'low', output_format: 'png' });
        expect(event.background).toBe('opaque');
        expect(event.created_at).toBeGreaterThan(0);
        const { sharpness } = await sharp(Buffer.from(event.b64_json, 'base64')).stats();
        return sharpness;
      }),
    );
    expect(sharpness).toEqual(sharpness.toSorted((a, b) => a - b));
    expect(events.at(-1)).toMatchObject({
      type: 'image_edit.completed',
      usage: {
        total_tokens: 3 + 194 + 272 + 300,
        input_tokens: 3 + 194,
        output_tokens: 272 + 300,
        input_tokens_details: { text_tokens: 3, image_tokens: 194 },
      },
    });
  });

  it('gets one completed event per image, whose usages add up', async () => {
    const { openai } = await start();
    const stream = await openai.images.edit({
      image: await upload(await plain(64, 64)),
      prompt: 'a red hat',
      stream: true,
      n: 2,
      quality: 'low',
    });
    let total = 0;
    let completed = 0;
    for await (const event of stream) {
      expect(event.type).toBe('image_edit.completed');
      completed += 1;
      if (event.type === 'image_edit.completed') total += event.usage.total_tokens;
    }
    expect(completed).toBe(2);
    expect(total).toBe(3 + 194 + 2 * 272);
  });

  it('gets a BadRequestError that names the parameter', async () => {
    const { openai } = await start();
    const image = await upload(await plain(8, 8));
    const error = await openai.images.edit({ image, prompt: 'a', n: 11 }).catch((one) => one);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param: 'n', code: 'integer_above_max_value' });
    expect(error.requestID).toMatch(/^req_[0-9a-f]{32}$/);
  });

  it('gets an AuthenticationError for another key than the configured one', async () => {
    const { openai, sandbox } = await start({ apiKey: 'sk-right' });
    const image = await upload(await plain(8, 8));
    const edit = openai.images.edit({ image, prompt: 'a' });
    await expect(edit).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await openai.withOptions({ apiKey: 'sk-right' }).images.edit({ image, prompt: 'a' });
    expect(sandbox.stats()).toMatchObject({ requests: 2, paid: 1, refused: 1 });
  });

  it('gets a RateLimitError with its headers', async () => {
    const { openai, sandbox } = await start();
    sandbox.faults.push({ kind: 'rate_limit', retryAfter: 7 });
    const image = await upload(await plain(8, 8));
    const error = await openai.images.edit({ image, prompt: 'a' }).catch((one) => one);
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error.headers.get('retry-after')).toBe('7');
    expect(error.code).toBe('rate_limit_exceeded');
  });
});

describe('stats', () => {
  it('tell what was parsed, in order, and never the key', async () => {
    const { url, sandbox } = await start();
    const image = await png(64, 48);
    const body = [
      { name: 'model', value: 'gpt-image-1' },
      { name: 'image[]', value: image, filename: '猫.png', type: 'image/png' },
      { name: 'mask', value: await mask(64, 48), filename: 'mask.png', type: 'image/png' },
      { name: 'image[]', value: await jpeg(), filename: 'b.jpg', type: 'image/jpeg' },
      { name: 'prompt', value: '给它一顶红帽子' },
    ];
    expect((await post(url, body)).status).toBe(200);

    const stats = sandbox.stats();
    expect(stats).toMatchObject({ requests: 1, paid: 1, refused: 0, faults: 0 });
    expect(stats.lastRequests).toMatchObject([
      {
        contentLength: multipart(body).length,
        fields: [
          ['model', 'gpt-image-1'],
          ['prompt', '给它一顶红帽子'],
        ],
        files: [
          {
            field: 'image[]',
            filename: '猫.png',
            contentType: 'image/png',
            bytes: image.length,
            sha256: createHash('sha256').update(image).digest('hex'),
          },
          { field: 'mask', filename: 'mask.png', contentType: 'image/png' },
          { field: 'image[]', filename: 'b.jpg', contentType: 'image/jpeg' },
        ],
        paid: true,
        status: 200,
        fault: null,
      },
    ]);
    expect(JSON.stringify(stats)).not.toContain('sk-any');
  });
});

describe('the server', () => {
  it('answers an unknown path with 404 and another method with 405, both as JSON', async () => {
    const { url } = await start();
    const unknown = await fetch(`${url}/images/generations`, { method: 'POST', body: 'x' });
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    expect(unknown.headers.get('openai-processing-ms')).toMatch(/^\d+$/);
    expect(await unknown.json()).toMatchObject({ error: { code: 'unknown_url' } });
    const get = await fetch(`${url}/images/edits`, { headers: MULTIPART_HEADERS });
    expect(get.status).toBe(405);
    expect(await get.json()).toMatchObject({ error: { code: 'method_not_supported' } });
  });

  it('answers the same url when started again, and stops twice without complaint', async () => {
    const { sandbox, url } = await start();
    expect(await sandbox.start()).toEqual({ url });
    await sandbox.stop();
    await sandbox.stop();
    await expect(fetch(`${url}/images/edits`)).rejects.toThrow();
  });

  it('cuts an edit that is under way when it is stopped', async () => {
    const { openai, sandbox } = await start({ delayMs: 600_000 });
    const edit = openai.images.edit({ image: await upload(await plain(8, 8)), prompt: 'a' });
    const failure = expect(edit).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
    await expect.poll(() => sandbox.stats().paid, PATIENT).toBe(1);
    await sandbox.stop();
    await failure;
  });
});
