import { once } from 'node:events';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { FaultInput } from '../../src/sandbox/faults.ts';
import {
  errorOf,
  multipart,
  openConnection,
  PATIENT,
  parts,
  post,
  postWith,
  useSandbox,
} from './support.ts';

const start = useSandbox();

describe('a refusal on demand is as the API words it, and unpaid:', () => {
  it.each([
    [{ kind: 'rate_limit', retryAfter: 3 }, 429, 'rate_limit_exceeded'],
    [{ kind: 'quota' }, 429, 'insufficient_quota'],
    [{ kind: 'auth' }, 401, 'invalid_api_key'],
    [{ kind: 'moderation' }, 400, 'moderation_blocked'],
    [{ kind: 'no_model' }, 404, 'model_not_found'],
    [{ kind: 'status', status: 500 }, 500, null],
    [{ kind: 'status', status: 503, retryAfter: 2 }, 503, null],
  ] satisfies [FaultInput, number, string | null][])('%o', async (fault, status, code) => {
    const bench = await start();
    const response = await postWith(bench, fault);
    expect(await errorOf(response)).toMatchObject({ status, code });
    expect(bench.sandbox.stats()).toMatchObject({ requests: 1, paid: 0, refused: 1, faults: 1 });
  });

  it('moderation carries its own type, a limit its Retry-After, in seconds or as a date', async () => {
    const bench = await start();
    const moderation = await postWith(bench, { kind: 'moderation' });
    expect((await errorOf(moderation)).type).toBe('image_generation_user_error');
    const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
    for (const retryAfter of [3, date, null]) {
      const { headers } = await postWith(bench, { kind: 'rate_limit', retryAfter });
      expect(headers.get('retry-after')).toBe(retryAfter === null ? null : String(retryAfter));
    }
  });

  it('a redirect', async () => {
    const bench = await start();
    const response = await postWith(bench, { kind: 'redirect' });
    expect(response.status).toBe(307);
    expect(response.headers.get('location')).toBe('/v1/images/edits');
    expect(bench.sandbox.stats().paid).toBe(0);
  });
});

describe('an answer that fails on the way is paid:', () => {
  it.each([502, 504, 524])('%i of a proxy', async (status) => {
    const bench = await start();
    const response = await postWith(bench, { kind: 'status', status, body: 'html' });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(bench.sandbox.stats().paid).toBe(1);
  });

  it('a 500 without a body', async () => {
    const bench = await start();
    const response = await postWith(bench, { kind: 'status', body: 'none' });
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(bench.sandbox.stats().paid).toBe(1);
  });

  it('a web page with 200', async () => {
    const bench = await start();
    const response = await postWith(bench, { kind: 'html' });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/^<!doctype html>/);
    expect(bench.sandbox.stats().paid).toBe(1);
  });

  it('something that is no JSON', async () => {
    const bench = await start();
    const response = await postWith(bench, { kind: 'not_json' });
    expect(response.headers.get('content-type')).toBe('application/json');
    await expect(response.json()).rejects.toThrow(SyntaxError);
    expect(bench.sandbox.stats().paid).toBe(1);
  });

  it('no data', async () => {
    const bench = await start();
    const response = await postWith(bench, { kind: 'empty_data' });
    expect(await response.json()).toMatchObject({ data: [], usage: { input_tokens: 197 } });
    expect(bench.sandbox.stats().paid).toBe(1);
  });

  it('base64 that is none, and base64 of no image', async () => {
    const bench = await start();
    const bad = await (await postWith(bench, { kind: 'bad_base64' })).json();
    expect(bad).toMatchObject({ data: [{ b64_json: expect.stringContaining('*') }] });
    const text = await (await postWith(bench, { kind: 'not_an_image' })).json();
    const decoded = Buffer.from((text as Answer).data[0]?.b64_json ?? '', 'base64');
    expect(decoded.toString()).toBe('This is text, not an image.');
    expect(bench.sandbox.stats().paid).toBe(2);
  });

  it('half of the announced bytes', async () => {
    const bench = await start();
    const response = await postWith(bench, { kind: 'truncate' });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(1_000);
    await expect(response.text()).rejects.toThrow();
    expect(bench.sandbox.stats().paid).toBe(1);
  });

  it('half of a stream', async () => {
    const bench = await start();
    const response = await postWith(bench, { kind: 'truncate' }, { name: 'stream', value: 'true' });
    await expect(response.text()).rejects.toThrow();
  });

  it('a stream without an image', async () => {
    const bench = await start();
    const fault: FaultInput = { kind: 'empty_data' };
    const response = await postWith(bench, fault, { name: 'stream', value: 'true' });
    expect(await response.text()).toBe('');
  });
});

describe('a connection that breaks', () => {
  it('after the body is paid', async () => {
    const bench = await start();
    await expect(postWith(bench, { kind: 'reset' })).rejects.toThrow();
    expect(bench.sandbox.stats()).toMatchObject({ requests: 1, paid: 1, faults: 1 });
    expect(bench.sandbox.stats().lastRequests[0]?.fields).toEqual([['prompt', 'a red hat']]);
  });

  it('before the body is not', async () => {
    const bench = await start();
    await expect(postWith(bench, { kind: 'reset', when: 'before-body' })).rejects.toThrow();
    expect(bench.sandbox.stats()).toMatchObject({ requests: 1, paid: 0, faults: 1 });
  });

  it('never, with no answer either, is paid as soon as the body was read', async () => {
    const { sandbox, url } = await start();
    sandbox.faults.push({ kind: 'hang' });
    const { socket } = await openConnection(url, multipart(await parts()));
    await expect.poll(() => sandbox.stats().paid, PATIENT).toBe(1);
    expect(sandbox.stats().lastRequests[0]?.status).toBeNull();
    socket.destroy();
  });

  it('on the side of the client leaves an accepted edit paid and a half-sent one not', async () => {
    const { sandbox, url } = await start({ delayMs: 600_000 });
    const body = multipart(await parts());
    const accepted = await openConnection(url, body);
    await expect.poll(() => sandbox.stats().paid, PATIENT).toBe(1);
    accepted.socket.destroy();
    const half = await openConnection(url, body, body.length - 5);
    await expect.poll(() => sandbox.stats().requests, PATIENT).toBe(2);
    half.socket.destroy();
    await once(half.socket, 'close');
    sandbox.faults.push({ kind: 'delay', delayMs: 0 });
    expect((await post(url, await parts())).status).toBe(200);
    expect(sandbox.stats()).toMatchObject({ requests: 3, paid: 2, refused: 0 });
  });
});

interface Answer {
  data: { b64_json?: string; url?: string }[];
  usage?: unknown;
}

describe('an unusual answer that is sound', () => {
  it('names the image by a url of this server', async () => {
    const bench = await start();
    const answer = (await (await postWith(bench, { kind: 'url' })).json()) as Answer;
    const [image] = answer.data;
    expect(image?.b64_json).toBeUndefined();
    expect(image?.url).toContain('/sandbox/files/');
    const file = await fetch(image?.url ?? '');
    expect(file.headers.get('content-type')).toBe('image/png');
    const header = await sharp(Buffer.from(await file.arrayBuffer())).metadata();
    expect(header).toMatchObject({ format: 'png', width: 1_024 });
  });

  it('names the url that was asked for', async () => {
    const bench = await start();
    const url = 'http://169.254.169.254/latest';
    const answer = (await (await postWith(bench, { kind: 'url', url })).json()) as Answer;
    expect(answer.data).toEqual([{ url }]);
  });

  it('has no usage', async () => {
    const bench = await start();
    const answer = (await (await postWith(bench, { kind: 'no_usage' })).json()) as Answer;
    expect(answer).not.toHaveProperty('usage');
    expect(answer.data).toHaveLength(1);
  });

  it('is pretty-printed with every slash escaped', async () => {
    const bench = await start();
    const text = await (await postWith(bench, { kind: 'newlines' })).text();
    expect(text).toMatch(/^\{\n/);
    expect(text).toContain('\\/');
    expect(text).not.toMatch(/[^\\]\//);
    const answer = JSON.parse(text) as Answer;
    const image = Buffer.from(answer.data[0]?.b64_json ?? '', 'base64');
    expect((await sharp(image).metadata()).format).toBe('png');
  });

  it('is padded to any size', async () => {
    const bench = await start();
    const text = await (await postWith(bench, { kind: 'huge', bytes: 3_000_000 })).text();
    expect(text.length).toBeGreaterThan(3_000_000);
    expect((JSON.parse(text) as Answer).data).toHaveLength(1);
  });

  it('drips', async () => {
    const bench = await start();
    const fault: FaultInput = { kind: 'slow', bytesPerSecond: 100_000 };
    const response = await postWith(bench, fault);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body ?? []) chunks.push(chunk);
    const whole = Buffer.concat(chunks);
    // Twenty drips a second; some may travel together when this machine is busy.
    expect(Math.max(...chunks.map((one) => one.length))).toBeLessThan(whole.length / 2);
    expect(JSON.parse(whole.toString())).toMatchObject({ data: [{}] });
  });

  it('comes late, for this request alone', async () => {
    const bench = await start({ delayMs: 600_000 });
    expect((await postWith(bench, { kind: 'delay', delayMs: 0 })).status).toBe(200);
  });
});

describe('the queue of faults', () => {
  it('is spent in order, one for each POST, then all is well', async () => {
    const { sandbox, url } = await start();
    sandbox.faults.push({ kind: 'quota' }, { kind: 'auth' });
    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await post(url, await parts())).status);
    expect(statuses).toEqual([429, 401, 200]);
    expect(sandbox.stats()).toMatchObject({ faults: 2, queuedFaults: 0 });
  });

  it('refuses an unknown kind or option and queues none of the batch', async () => {
    const { sandbox } = await start();
    const bad = [{ kind: 'quota' }, { kind: 'explode' }] as FaultInput[];
    expect(() => sandbox.faults.push(...bad)).toThrow('faults.1.kind');
    expect(() => sandbox.faults.push({ kind: 'status', status: 404 })).toThrow('status');
    expect(sandbox.faults.size).toBe(0);
  });

  it('is filled, emptied and read over HTTP', async () => {
    const { sandbox, url } = await start();
    const control = new URL('/sandbox/faults', url);
    const push = (body: string, type = 'application/json') =>
      fetch(control, { method: 'POST', headers: { 'content-type': type }, body });

    const pushed = await push('[{"kind":"quota"},{"kind":"hang"}]');
    expect(await pushed.json()).toEqual({ queuedFaults: 2 });
    expect((await push('[{"kind":"explode"}]')).status).toBe(400);
    expect((await push('{')).status).toBe(400);
    expect((await push('[{"kind":"hang"}]', 'text/plain')).status).toBe(400);
    expect((await post(url, await parts())).status).toBe(429);
    const stats = await (await fetch(new URL('/sandbox/stats', url))).json();
    expect(stats).toMatchObject({ requests: 1, paid: 0, faults: 1, queuedFaults: 1 });
    expect((await fetch(control, { method: 'DELETE' })).status).toBe(200);
    expect(sandbox.faults.size).toBe(0);
  });
});
