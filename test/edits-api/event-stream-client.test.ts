import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { EditsApiRequest } from '../../src/edits-api/edits-api.ts';
import type { ReceivedImage } from '../../src/images/images.ts';
import { discardStagedFile } from '../../src/images/storage/fs-staging.ts';
import type { StagedFile } from '../../src/images/storage/staging.ts';
import type { FaultInput } from '../../src/sandbox/faults.ts';
import { useSandbox } from '../sandbox/support.ts';
import { serve } from '../support/http.ts';
import { png } from '../support/test-images.ts';
import { answerOf, clientOf, clientOfAnswer, failureOf, fileOf } from './client-support.ts';

const sandboxOf = useSandbox();

async function streamed(partialImages: number, more: [string, string][] = []) {
  const request: Partial<EditsApiRequest> = {
    images: [fileOf(await png(64, 64))],
    fields: [
      ['prompt', 'a hat'],
      ['stream', 'true'],
      ['partial_images', String(partialImages)],
      ...more,
    ],
  };
  const partials: StagedFile[] = [];
  const onPartialImage = (image: StagedFile) => void partials.push(image);
  return { request, partials, call: { onPartialImage } };
}

const stagedOf = (images: readonly ReceivedImage[]) => images.map(({ staged }) => staged);
const contentsOf = (files: readonly StagedFile[]) =>
  Promise.all(files.map(({ path }) => readFile(path)));

describe('the client, of an edit that is streamed', () => {
  it('reads what the openai package reads from the same stream', async () => {
    const { url } = await sandboxOf();
    const form = new FormData();
    form.set(
      'image',
      new Blob([new Uint8Array(await png(64, 64))], { type: 'image/png' }),
      'i.png',
    );
    for (const [name, value] of Object.entries({
      prompt: 'a hat',
      stream: 'true',
      partial_images: '2',
      n: '2',
    })) {
      form.set(name, value);
    }
    const recorded = await fetch(`${url}/images/edits`, {
      method: 'POST',
      headers: { authorization: 'Bearer any' },
      body: form,
    });
    expect(recorded.headers.get('content-type')).toContain('text/event-stream');
    const body = Buffer.from(await recorded.bytes());

    const server = await clientOfAnswer(body, { headers: { 'content-type': 'text/event-stream' } });
    const { request, partials, call } = await streamed(2, [['n', '2']]);
    const answer = await server.edit(request, call);

    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'sk-any', maxRetries: 0 });
    const theirs = await Array.fromAsync(
      await openai.images.edit({
        image: await toFile(await png(64, 64), 'i.png', { type: 'image/png' }),
        prompt: 'a hat',
        stream: true,
      }),
    );
    const of = (type: string) => theirs.filter((event) => event.type === type);
    const decoded = (type: string) =>
      of(type).map(({ b64_json }) => Buffer.from(b64_json, 'base64'));
    expect(await contentsOf(partials)).toEqual(decoded('image_edit.partial_image'));
    expect(await contentsOf(stagedOf(answer.images))).toEqual(decoded('image_edit.completed'));
    expect(partials).toHaveLength(4);
    const usages = theirs.flatMap((event) => ('usage' in event ? [event.usage] : []));
    expect(answer.body['usage']).toMatchObject({
      total_tokens: usages.reduce((sum, one) => sum + one.total_tokens, 0),
      input_tokens: usages.reduce((sum, one) => sum + one.input_tokens, 0),
    });
    expect(await server.rawAnswer()).toEqual(body);
  });

  it('hands images on the way out before the answer has ended', async () => {
    const { url, sandbox } = await sandboxOf();
    const client = await clientOf({ url });
    sandbox.faults.push({ kind: 'delay', delayMs: 2_000 });
    const { request } = await streamed(1);
    let isEnded = false;
    const { promise: first, resolve } = Promise.withResolvers<StagedFile>();
    const ended = client.edit(request, { onPartialImage: resolve }).finally(() => {
      isEnded = true;
    });
    const early = await first;
    expect(isEnded).toBe(false);
    const { images } = await ended;
    expect(await sharp(await readFile(early.path)).metadata()).toMatchObject({ width: 1024 });
    expect(images).toHaveLength(1);
    expect(sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  it('reads a saved stream again, without its images on the way', async () => {
    const { url } = await sandboxOf();
    const client = await clientOf({ url });
    const { request, partials, call } = await streamed(2);
    const answer = await client.edit(request, call);
    const again = await client.readAgain();
    expect(await contentsOf(stagedOf(again.images))).toEqual(
      await contentsOf(stagedOf(answer.images)),
    );
    expect(again.body).toEqual(answer.body);
    const images = [...answer.images, ...again.images];
    for (const file of [...partials, ...stagedOf(images)]) await discardStagedFile(file);
    expect(await client.stagedFiles()).toEqual([]);
  });

  it('takes the plain JSON of a server that does not stream, whatever it calls it', async () => {
    const image = await png();
    for (const type of ['application/json', 'text/event-stream']) {
      const client = await clientOfAnswer(answerOf([image]), {
        headers: { 'content-type': type },
      });
      const { request, partials, call } = await streamed(3);
      const { images } = await client.edit(request, call);
      expect(await contentsOf(stagedOf(images))).toEqual([image]);
      await expect(partials).toEqual([]);
    }
  });

  it('accepts an event stream only when it asks for one', async () => {
    const accepted: (string | undefined)[] = [];
    const image = await png();
    const { url } = await serve(async (req, res) => {
      accepted.push(req.headers.accept);
      await buffer(req);
      res.end(answerOf([image]));
    });
    const client = await clientOf({ url: `${url}/v1` });
    await client.edit();
    await client.edit((await streamed(1)).request);
    expect(accepted).toEqual(['application/json', 'text/event-stream, application/json']);
  });

  it.each<[FaultInput]>([
    [{ kind: 'truncate' }],
    [{ kind: 'empty_data' }],
    [{ kind: 'bad_base64' }],
    [{ kind: 'not_an_image' }],
    [{ kind: 'html' }],
    [{ kind: 'not_json' }],
  ])('ends %j as a broken answer, its outcome unknown', async (fault) => {
    const { url, sandbox } = await sandboxOf();
    const client = await clientOf({ url });
    sandbox.faults.push(fault);
    const { request, partials, call } = await streamed(1);
    expect(await failureOf(client.edit(request, call))).toMatchObject({
      code: 'BROKEN_ANSWER',
      outcome: 'unknown',
    });
    for (const file of partials) await discardStagedFile(file);
    expect(await client.stagedFiles()).toEqual([]);
    expect(sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  it.each<[FaultInput]>([
    [{ kind: 'newlines' }],
    [{ kind: 'url' }],
    [{ kind: 'no_usage' }],
    [{ kind: 'huge', bytes: 5_000_000 }],
  ])('gets along with %j', async (fault) => {
    const { url, sandbox } = await sandboxOf();
    const client = await clientOf({ url });
    sandbox.faults.push(fault);
    const { request, call } = await streamed(1);
    const { images, body } = await client.edit(request, call);
    expect(images).toHaveLength(1);
    expect('usage' in body).toBe(fault.kind !== 'no_usage');
  });
});
