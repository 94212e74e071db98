import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { PARAMETERS, type Parameter } from '../../src/edits/parameters.ts';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { send } from '../support/http.ts';
import { hugePng, jpeg, mask, noisePng, png, turnedJpeg } from '../support/test-images.ts';
import {
  errorOf,
  MULTIPART_HEADERS,
  type Part,
  parts,
  plain,
  post,
  useSandbox,
} from './support.ts';

const start = useSandbox();

const MB = 1024 * 1024;
const field = (name: string, value: string): Part => ({ name, value });
const file = (name: string, value: Buffer, type = 'image/png'): Part => ({
  name,
  value,
  filename: 'a.png',
  type,
});

describe('a field beyond its limits is refused by name, unpaid:', () => {
  it.each([
    ['n', '0', 'integer_below_min_value'],
    ['n', '11', 'integer_above_max_value'],
    ['n', 'two', 'invalid_type'],
    ['n', '1.5', 'invalid_type'],
    ['quality', 'best', 'invalid_value'],
    ['quality', 'max', 'invalid_value'],
    ['size', '1000x1000', 'invalid_value'],
    ['size', 'big', 'invalid_value'],
    ['background', 'red', 'invalid_value'],
    ['output_format', 'gif', 'invalid_value'],
    ['output_compression', '101', 'integer_above_max_value'],
    ['output_compression', '50', 'invalid_png_output_compression'],
    ['input_fidelity', 'medium', 'invalid_value'],
    ['moderation', 'none', 'invalid_value'],
    ['partial_images', '4', 'integer_above_max_value'],
    ['partial_images', '2', 'invalid_value'],
    ['stream', 'yes', 'invalid_value'],
    ['response_format', 'b64_json', 'unknown_parameter'],
    ['prompt', 'again', 'duplicate_parameter'],
  ])('%s=%s (%s)', async (name, value, code) => {
    const { url, sandbox } = await start();
    const response = await post(url, await parts(field(name, value)));
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(await errorOf(response)).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      param: name,
      code,
    });
    expect(sandbox.stats()).toMatchObject({ requests: 1, paid: 0, refused: 1 });
  });

  it('a transparent background in a jpeg', async () => {
    const { url } = await start();
    const fields = [field('background', 'transparent'), field('output_format', 'jpeg')];
    const response = await post(url, await parts(...fields));
    expect(await errorOf(response)).toMatchObject({ status: 400, param: 'background' });
  });

  it('a prompt of 32,001 characters, while 32,000 of any script pass', async () => {
    const { url } = await start();
    const image = file('image', await plain(8, 8));
    const long = await post(url, [image, field('prompt', '帽'.repeat(32_001))]);
    expect(await errorOf(long)).toMatchObject({ param: 'prompt', code: 'string_above_max_length' });
    expect((await post(url, [image, field('prompt', '𠮷'.repeat(32_000))])).status).toBe(200);
  });

  it('no prompt, and no image', async () => {
    const { url } = await start();
    const noPrompt = await post(url, [file('image', await plain(8, 8))]);
    expect(await errorOf(noPrompt)).toMatchObject({
      param: 'prompt',
      code: 'missing_required_parameter',
    });
    const noImage = await post(url, [field('prompt', 'a')]);
    expect(await errorOf(noImage)).toMatchObject({
      param: 'image',
      code: 'missing_required_parameter',
    });
  });
});

describe('every parameter of the service', () => {
  it.each(
    Object.values<Parameter>(PARAMETERS).flatMap((row) =>
      row.type === 'text' ? [] : [[row.wireName, row] as const],
    ),
  )('has a rule here: %s', async (name, row) => {
    const { url, sandbox } = await start();
    const limit = row.type === 'enum' ? row.limit : undefined;
    const model = [...CATALOGUE.values()].find((one) => limit === undefined || one[limit]?.length);
    const body = await parts(field('model', model?.id ?? ''), field(name, 'nonsense'));
    expect(await errorOf(await post(url, body))).toMatchObject({ status: 400, param: name });
    expect(sandbox.stats().paid).toBe(0);
  });
});

describe('newer models', () => {
  it('take other sizes and qualities, within their own limits', async () => {
    const { url } = await start();
    const edit = async (...fields: Part[]) =>
      (await post(url, await parts(field('model', 'gpt-image-2.5-flare'), ...fields))).status;
    expect(await edit(field('size', '1280x720'), field('quality', 'max'))).toBe(200);
    expect(await edit(field('size', '1000x1000'))).toBe(400);
    expect(await edit(field('size', '512x512'))).toBe(400);
    expect(await edit(field('size', '3840x1024'))).toBe(400);
    expect(await edit(field('size', '288x288'))).toBe(400);
  });

  it.each([
    ['gpt-image-1', 'complexity', 'low'],
    ['gpt-image-1-mini', 'input_fidelity', 'high'],
    ['gpt-image-2', 'input_fidelity', 'low'],
    ['gpt-image-2-2026-04-21', 'input_fidelity', 'high'],
    ['gpt-image-2', 'quality', 'xhigh'],
    ['gpt-image-2.5-flare', 'complexity', 'high'],
    ['gpt-image-2.6-flare', 'input_fidelity', 'low'],
    ['gpt-image-2.6-sunburst', 'complexity', 'max'],
  ])('of the name %s refuse %s=%s, unpaid', async (model, name, value) => {
    const { url, sandbox } = await start();
    const response = await post(url, await parts(field('model', model), field(name, value)));
    expect(await errorOf(response)).toMatchObject({ status: 400, param: name });
    expect(sandbox.stats().paid).toBe(0);
  });

  it.each([
    ['gpt-image-1-mini', 'input_fidelity', 'low'],
    ['gpt-image-1.5', 'input_fidelity', 'high'],
    ['gpt-image-2.6-flare', 'complexity', 'low'],
    ['gpt-image-2.6-flare', 'quality', 'max'],
  ])('of the name %s take %s=%s', async (model, name, value) => {
    const { url } = await start();
    expect((await post(url, await parts(field('model', model), field(name, value)))).status).toBe(
      200,
    );
  });

  it('that nobody knows are drawn all the same, with fields that nobody knows', async () => {
    const { url } = await start();
    const fields = [
      field('model', 'other/model-9'),
      field('size', '640x400'),
      field('svg[model]', 'x'),
    ];
    const response = await post(url, await parts(...fields));
    expect(await response.json()).toMatchObject({ size: '640x400' });
  });
});

describe('images', () => {
  it('come as image, as repeated image and as repeated image[], up to 16', async () => {
    const { url, sandbox } = await start();
    const image = await plain(8, 8);
    const edit = async (name: string, count: number) => {
      const body = Array.from({ length: count }, () => file(name, image));
      return post(url, [...body, field('prompt', 'a')]);
    };
    for (const name of ['image', 'image[]']) {
      expect((await edit(name, 1)).status).toBe(200);
      expect((await edit(name, 16)).status).toBe(200);
      expect(await errorOf(await edit(name, 17))).toMatchObject({
        status: 400,
        param: 'image',
        code: 'array_above_max_length',
      });
    }
    expect(sandbox.stats()).toMatchObject({ requests: 6, paid: 4, refused: 2 });
  });

  it('over 50 MB are refused', async () => {
    const { url, sandbox } = await start();
    const value = Buffer.alloc(50 * MB + 1);
    const response = await post(url, [file('image', value), field('prompt', 'a')]);
    expect(await errorOf(response)).toMatchObject({
      status: 400,
      param: 'image',
      code: 'file_above_max_size',
    });
    expect(sandbox.stats().paid).toBe(0);
  });

  it('of another type, or that are text, not files, are refused', async () => {
    const { url } = await start();
    const image = await plain(8, 8);
    const octets = file('image', image, 'application/octet-stream');
    expect(await errorOf(await post(url, [octets, field('prompt', 'a')]))).toMatchObject({
      param: 'image',
      code: 'unsupported_file_mimetype',
    });
    const text = field('image', 'data:image/png;base64,AAAA');
    expect(await errorOf(await post(url, [text, field('prompt', 'a')]))).toMatchObject({
      param: 'image',
      code: 'invalid_type',
    });
  });

  it('that are none, or cut short, or bombs, are refused with their number, unpaid', async () => {
    const { url, sandbox } = await start();
    const good = file('image[]', await plain(8, 8));
    const whole = await jpeg(400, 400);
    const gif = await sharp(whole).gif().toBuffer();
    const truncated = (await png(400, 400)).subarray(0, 5_000);
    for (const bad of [Buffer.from('no image'), gif, hugePng(), truncated]) {
      const response = await post(url, [good, file('image[]', bad), field('prompt', 'a')]);
      const error = await errorOf(response);
      expect(error).toMatchObject({ status: 400, param: 'image', code: 'invalid_image_file' });
      expect(error.message).toContain('image 2');
    }
    expect(sandbox.stats()).toMatchObject({ paid: 0, refused: 4 });
  });
});

describe('a mask is refused', () => {
  it.each([
    ['over 4 MB', () => noisePng(4 * MB + 1), 'file_above_max_size'],
    ['of another size than the first image', () => mask(64, 64), 'invalid_mask_image_format'],
    ['without alpha', () => png(64, 48), 'invalid_mask_image_format'],
    ['that is no PNG', () => jpeg(64, 48), 'invalid_image_file'],
  ])('%s', async (_name, make, code) => {
    const { url, sandbox } = await start();
    const body = [file('image', await png(64, 48)), file('mask', await make())];
    const error = await errorOf(await post(url, [...body, field('prompt', 'a')]));
    expect(error).toMatchObject({ status: 400, param: 'mask', code });
    expect(sandbox.stats().paid).toBe(0);
  });

  it('unless it has the size of the image as it is seen, turned by its EXIF', async () => {
    const { url } = await start();
    const body = [file('image', await turnedJpeg(64, 48), 'image/jpeg'), field('prompt', 'a')];
    expect((await post(url, [...body, file('mask', await mask(48, 64))])).status).toBe(200);
    expect((await post(url, [...body, file('mask', await mask(64, 48))])).status).toBe(400);
  });
});

describe('the request', () => {
  it('without a key gets 401', async () => {
    const { url, sandbox } = await start();
    const { authorization: _, ...headers } = MULTIPART_HEADERS;
    const error = await errorOf(await post(url, await parts(), { headers }));
    expect(error).toMatchObject({ status: 401, type: 'invalid_request_error', code: null });
    expect(sandbox.stats()).toMatchObject({ requests: 1, paid: 0, refused: 1 });
  });

  it('that is JSON, or a broken form, gets 400', async () => {
    const { url } = await start();
    const { authorization } = MULTIPART_HEADERS;
    const json = await fetch(`${url}/images/edits`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{"prompt":"a"}',
    });
    expect(await errorOf(json)).toMatchObject({ status: 400, code: 'unsupported_content_type' });
    const broken = await post(url, [], { body: '--sandbox-test-boundary\r\nno end' });
    expect(await errorOf(broken)).toMatchObject({
      status: 400,
      code: 'invalid_multipart_form_data',
    });
  });

  it('with markup in the prompt is drawn as text', async () => {
    const { url } = await start();
    const hostile = '"</text></svg><image href="file:///etc/hostname"/>&#x0; \u0000\u{1F3A9}]]>';
    const image = file('image', await plain(8, 8));
    expect((await post(url, [image, field('prompt', hostile)])).status).toBe(200);
  });
});

describe('a request that names another host', () => {
  it.each(['evil.example', 'localhost.evil.example', '192.168.1.4:80'])(
    'is refused, on each path: %j',
    async (host) => {
      const { url, sandbox } = await start();
      for (const path of ['/v1/images/edits', '/sandbox/stats', '/sandbox/faults']) {
        const { status, body } = await send(new URL(path, url).href, { headers: { host } });
        expect(status).toBe(403);
        expect(JSON.parse(body.toString()).error.code).toBe('forbidden_host');
      }
      expect(sandbox.stats().requests).toBe(0);
    },
  );

  it('is served if that is a name of this machine', async () => {
    const { url } = await start();
    for (const host of ['localhost:9', '127.0.0.2', '[::1]:9']) {
      const { status } = await send(new URL('/sandbox/stats', url).href, { headers: { host } });
      expect(status).toBe(200);
    }
  });
});
