import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EditsApiFile, EditsApiRequest } from '../../src/edits-api/edits-api.ts';
import type { FaultInput } from '../../src/sandbox/faults.ts';
import type { SandboxStats } from '../../src/sandbox/stats.ts';
import { useSandbox } from '../sandbox/support.ts';
import { jpeg, pngWithAlpha } from '../support/test-images.ts';
import { clientOf, failureOf, fileOf } from './client-support.ts';

const sandboxOf = useSandbox();

let first: Buffer;
let second: Buffer;
beforeAll(async () => {
  [first, second] = await Promise.all([pngWithAlpha(64, 64), jpeg(80, 60)]);
});

const prompt = '给花戴一顶帽子 "quoted" 👒\nand a second line';

async function bench() {
  const { sandbox, url } = await sandboxOf();
  const openai = new OpenAI({ baseURL: url, apiKey: 'sk-any', maxRetries: 0 });
  return { sandbox, openai, url, ...(await clientOf({ url, firstHand: true })) };
}

/** The openai package puts each file where it is ready, so the mask may come before the images. */
function imagesFirst(request: SandboxStats['lastRequests'][number] | undefined) {
  return (request?.files ?? []).toSorted((a, b) => a.field.localeCompare(b.field));
}

describe('the client and the sandbox', () => {
  it('edit an image: n real images of the asked size and format come back', async () => {
    const { edit, sandbox } = await bench();
    const answer = await edit({
      images: [fileOf(first)],
      fields: [
        ['prompt', prompt],
        ['n', '2'],
        ['size', '1024x1536'],
        ['output_format', 'webp'],
      ],
    });

    expect(answer.images).toHaveLength(2);
    for (const image of answer.images) {
      const content = await readFile(image.staged.path);
      expect(content.length).toBe(image.staged.bytes);
      expect(createHash('sha256').update(content).digest('hex')).toBe(image.staged.sha256);
      expect(await sharp(content).metadata()).toMatchObject({
        format: 'webp',
        width: 1024,
        height: 1536,
      });
    }
    expect(answer.body).toMatchObject({ usage: { total_tokens: expect.any(Number) } });
    expect(answer.upstreamRequestId).toMatch(/^req_/);
    expect(sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  it('understand each other as the sandbox understands the openai package', async () => {
    const { edit, openai, sandbox } = await bench();
    const cases: { files: EditsApiFile[]; uploads: File[] }[] = [
      {
        files: [fileOf(first)],
        uploads: [await toFile(first, 'image-1.png', { type: 'image/png' })],
      },
      {
        files: [
          fileOf(first),
          fileOf(second, { filename: 'image-2.jpg', contentType: 'image/jpeg' }),
        ],
        uploads: [
          await toFile(first, 'image-1.png', { type: 'image/png' }),
          await toFile(second, 'image-2.jpg', { type: 'image/jpeg' }),
        ],
      },
    ];
    for (const { files, uploads } of cases) {
      const request: EditsApiRequest = {
        images: files,
        mask: fileOf(first, { filename: 'mask.png' }),
        // On one line: FormData turns line breaks into CRLF, we send them as they are.
        fields: [
          ['prompt', prompt.replace('\n', ' ')],
          ['model', 'gpt-image-1'],
          ['n', '1'],
          ['size', '1024x1024'],
          ['output_format', 'jpeg'],
          ['output_compression', '80'],
        ],
      };
      await edit(request);
      await openai.images.edit({
        prompt: prompt.replace('\n', ' '),
        model: 'gpt-image-1',
        n: 1,
        size: '1024x1024',
        output_format: 'jpeg',
        output_compression: 80,
        image: uploads.length === 1 ? (uploads[0] as File) : uploads,
        mask: await toFile(first, 'mask.png', { type: 'image/png' }),
      });
      const [ours, theirs] = sandbox.stats().lastRequests.slice(-2);

      expect(ours?.fields).toEqual(theirs?.fields);
      expect(imagesFirst(ours)).toEqual(imagesFirst(theirs));
      expect(ours?.files).toHaveLength(files.length + 1);
    }
  });

  it('carry a prompt with line breaks exactly', async () => {
    const { edit, sandbox } = await bench();
    const text = 'one\ntwo\r\nthree\rfour';
    await edit({ images: [fileOf(first)], fields: [['prompt', text]] });

    expect(sandbox.stats().lastRequests.at(-1)?.fields).toEqual([['prompt', text]]);
  });

  it('take escaped slashes and images by URL', async () => {
    const { edit, sandbox } = await bench();
    for (const kind of ['newlines', 'url'] as const) {
      sandbox.faults.push({ kind });
      const { images } = await edit({ images: [fileOf(first)] });
      const content = await readFile(images[0]?.staged.path ?? '');
      expect(await sharp(content).metadata()).toMatchObject({ format: 'png', width: 1024 });
    }
  });

  it.each<[FaultInput, string, string]>([
    [{ kind: 'hang' }, 'TIMEOUT', 'unknown'],
    [{ kind: 'reset' }, 'CONNECTION_LOST', 'unknown'],
    [{ kind: 'truncate' }, 'BROKEN_ANSWER', 'unknown'],
    [{ kind: 'rate_limit', retryAfter: 120 }, 'RATE_LIMITED', 'not_processed'],
    [{ kind: 'status', status: 500 }, 'SERVER_ERROR', 'not_processed'],
    [{ kind: 'status', status: 500, body: 'html' }, 'SERVER_ERROR', 'unknown'],
    [{ kind: 'status', status: 502, body: 'html' }, 'SERVER_ERROR', 'unknown'],
    [{ kind: 'status', status: 503, body: 'none' }, 'SERVER_ERROR', 'not_processed'],
    [{ kind: 'status', status: 504, body: 'none' }, 'SERVER_ERROR', 'unknown'],
    [{ kind: 'status', status: 524, body: 'html' }, 'SERVER_ERROR', 'unknown'],
    [{ kind: 'moderation' }, 'MODERATION_BLOCKED', 'refused'],
    [{ kind: 'quota' }, 'INSUFFICIENT_QUOTA', 'refused'],
    [{ kind: 'auth' }, 'AUTHENTICATION_FAILED', 'refused'],
    [{ kind: 'no_model' }, 'MODEL_NOT_FOUND', 'refused'],
    [{ kind: 'redirect' }, 'BAD_REQUEST', 'refused'],
    [{ kind: 'html' }, 'BROKEN_ANSWER', 'unknown'],
    [{ kind: 'not_json' }, 'BROKEN_ANSWER', 'unknown'],
    [{ kind: 'empty_data' }, 'BROKEN_ANSWER', 'unknown'],
    [{ kind: 'bad_base64' }, 'BROKEN_ANSWER', 'unknown'],
    [{ kind: 'not_an_image' }, 'BROKEN_ANSWER', 'unknown'],
    [{ kind: 'huge', bytes: 50_000_000 }, 'BROKEN_ANSWER', 'unknown'],
    [{ kind: 'slow', bytesPerSecond: 10 }, 'TIMEOUT', 'unknown'],
  ])('end %j as %s, %s, after one POST and with nothing staged', async (fault, code, outcome) => {
    const { edit, sandbox, stagedFiles } = await bench();
    sandbox.faults.push(fault);
    const slow = fault.kind === 'hang' || fault.kind === 'slow';
    const call = edit({ images: [fileOf(first)] }, slow ? { timeoutMs: 1_000 } : {});

    expect(await failureOf(call)).toMatchObject({ code, outcome });
    const { requests, paid } = sandbox.stats();
    expect(requests).toBe(1);
    // What was paid for must never be called unpaid; the other way round is only careful.
    if (outcome !== 'unknown') expect(paid).toBe(0);
    expect(await stagedFiles()).toEqual([]);
  });
});
