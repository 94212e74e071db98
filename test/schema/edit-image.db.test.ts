import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { EDIT } from '../support/operations.ts';
import { jpeg, mask, png, pngWithAlpha, webp } from '../support/test-images.ts';

describe.runIf(hasDatabase)('editImage', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());
  beforeEach(async () => {
    app.sandbox.faults.clear();
    await app.query('mutation { resumeUpstream(input: { name: "default" }) { __typename } }');
  });

  const paid = () => app.sandbox.stats().paid;
  const lastRequest = () => app.sandbox.stats().lastRequests.at(-1);
  async function edit(input: object, files: Record<string, Uint8Array>) {
    const { data, errors } = await app.upload(EDIT, { input }, files);
    expect(errors).toBeUndefined();
    return data.editImage;
  }

  test('answers an uploaded image edited, with its tokens, and serves it', async () => {
    const before = paid();
    const { editJob: job } = await edit(
      { images: [{ file: null }], prompt: 'make it autumn' },
      { 'input.images.0.file': await jpeg(120, 90) },
    );
    expect(job).toMatchObject({
      status: 'SUCCEEDED',
      model: 'gpt-image-1',
      size: '1024x1024',
      prompt: { text: 'make it autumn' },
      inputImages: [{ format: 'JPEG', width: 120, height: 90 }],
      outputImages: [{ format: 'PNG', width: 1024, height: 1024 }],
      error: null,
      attempts: [{ number: 1, state: 'SUCCEEDED', httpStatus: 200 }],
    });
    expect(job.usage.totalTokens).toBe(job.usage.inputTokens + job.usage.outputTokens);
    expect(job.usage.outputTokens).toBe(1056);
    expect(paid()).toBe(before + 1);

    const picture = await fetch(job.outputImages[0].url);
    const bytes = Buffer.from(await picture.arrayBuffer());
    expect(picture.headers.get('content-type')).toBe('image/png');
    expect(bytes.length).toBe(job.outputImages[0].bytes);
    expect((await sharp(bytes).metadata()).width).toBe(1024);
  });

  test('forwards each parameter that is given, in the edits API’s spelling, and no other', async () => {
    await edit(
      {
        images: [{ file: null }, { file: null }, { file: null }],
        mask: { file: null },
        prompt: '换成秋天 🍁',
        model: 'gpt-image-1.5',
        size: '1536x1024',
        n: 3,
        quality: 'LOW',
        background: 'OPAQUE',
        outputFormat: 'WEBP',
        outputCompression: 60,
        inputFidelity: 'HIGH',
        moderation: 'LOW',
        extraParams: { seed: 7, style: { mood: 'calm' } },
      },
      {
        'input.images.0.file': await pngWithAlpha(64, 48),
        'input.images.1.file': await webp(),
        'input.images.2.file': await jpeg(),
        'input.mask.file': await mask(64, 48),
      },
    );
    expect(lastRequest()?.fields).toEqual([
      ['prompt', '换成秋天 🍁'],
      ['model', 'gpt-image-1.5'],
      ['n', '3'],
      ['size', '1536x1024'],
      ['quality', 'low'],
      ['background', 'opaque'],
      ['output_format', 'webp'],
      ['output_compression', '60'],
      ['input_fidelity', 'high'],
      ['moderation', 'low'],
      ['seed', '7'],
      ['style', '{"mood":"calm"}'],
    ]);
    expect(lastRequest()?.files.map(({ field, filename }) => [field, filename])).toEqual([
      ['image[]', 'image-1.png'],
      ['image[]', 'image-2.webp'],
      ['image[]', 'image-3.jpg'],
      ['mask', 'mask.png'],
    ]);

    await edit(
      { images: [{ file: null }], prompt: 'plain' },
      { 'input.images.0.file': await png() },
    );
    expect(lastRequest()?.fields.map(([name]) => name)).toEqual(['prompt', 'model', 'size']);
    expect(lastRequest()?.files.map(({ field }) => field)).toEqual(['image']);
  });

  test('forwards and shows the complexity of a model that accepts it', async () => {
    const { editJob } = await edit(
      {
        images: [{ file: null }],
        prompt: 'plan it',
        model: 'gpt-image-2.6-flare',
        complexity: 'MEDIUM',
      },
      { 'input.images.0.file': await png() },
    );
    expect(lastRequest()?.fields).toContainEqual(['complexity', 'medium']);
    expect(editJob).toMatchObject({ status: 'SUCCEEDED', complexity: 'MEDIUM' });
  });

  test('answers n images in their order', async () => {
    const { editJob } = await edit(
      { images: [{ file: null }], prompt: 'three', n: 3, outputFormat: 'JPEG' },
      { 'input.images.0.file': await png() },
    );
    expect(editJob.outputImages).toHaveLength(3);
    expect(new Set(editJob.outputImages.map((image: { id: string }) => image.id)).size).toBe(3);
    expect(editJob.outputImages[0].format).toBe('JPEG');
    // As the sandbox reports them: nothing but n and the format was requested.
    expect(editJob.upstreamResult).toEqual({
      size: '1024x1024',
      quality: 'medium',
      background: 'opaque',
      outputFormat: 'jpeg',
      revisedPrompt: null,
    });
  });

  test('resolves "source" to the model’s size nearest the image’s shape', async () => {
    const { editJob } = await edit(
      { images: [{ file: null }], prompt: 'tall', size: 'source' },
      { 'input.images.0.file': await jpeg(60, 90) },
    );
    expect(editJob).toMatchObject({ size: 'source', resolvedSize: '1024x1536' });
    expect(editJob.outputImages).toMatchObject([{ width: 1024, height: 1536 }]);
  });

  test('edits stored images by id, and stores equal bytes once', async () => {
    const picture = await png(80, 80);
    const first = await edit(
      { images: [{ file: null }], prompt: 'first' },
      { 'input.images.0.file': picture },
    );
    const again = await edit(
      { images: [{ file: null }, { id: first.editJob.outputImages[0].id }], prompt: 'second' },
      { 'input.images.0.file': picture },
    );
    expect(again.editJob.status).toBe('SUCCEEDED');
    expect(again.editJob.inputImages[0].id).toBe(first.editJob.inputImages[0].id);
    expect(again.editJob.inputImages[1].id).toBe(first.editJob.outputImages[0].id);
    const sent = lastRequest()?.files.map(({ sha256 }) => sha256);
    expect(sent).toEqual(again.editJob.inputImages.map(({ sha256 }: { sha256: string }) => sha256));
  });

  test('uploadImage stores an image for later edits', async () => {
    const { data } = await app.upload(
      'mutation($file: Upload!) { uploadImage(input: { file: $file }) { ... on UploadImagePayload { image { id format } } } }',
      { file: null },
      { file: await webp(50, 40) },
    );
    const { image } = data.uploadImage;
    expect(image.format).toBe('WEBP');
    const answer = await app.query(EDIT, { input: { images: [{ id: image.id }], prompt: 'x' } });
    expect(answer.data.editImage.editJob.inputImages[0].id).toBe(image.id);
  });

  test('answers at once with wait 0, and the edit goes on', async () => {
    const before = paid();
    const { editJob } = await edit(
      { images: [{ file: null }], prompt: 'later', wait: 0 },
      { 'input.images.0.file': await png() },
    );
    expect(['QUEUED', 'RUNNING']).toContain(editJob.status);
    await eventually(async () => {
      const { data } = await app.query('query($id: ID!) { editJob(id: $id) { status } }', {
        id: editJob.id,
      });
      expect(data.editJob.status).toBe('SUCCEEDED');
    });
    expect(paid()).toBe(before + 1);
  });

  test('an edit goes on when its client goes away', async () => {
    const before = paid();
    app.sandbox.faults.push({ kind: 'delay', delayMs: 300 });
    const upload = await app.upload(
      'mutation($file: Upload!) { uploadImage(input: { file: $file }) { ... on UploadImagePayload { image { id } } } }',
      { file: null },
      { file: await png(33, 44) },
    );
    const leaving = new AbortController();
    const request = fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: EDIT,
        variables: {
          input: { images: [{ id: upload.data.uploadImage.image.id }], prompt: 'left alone' },
        },
      }),
      signal: leaving.signal,
    });
    await eventually(() => expect(paid()).toBe(before + 1));
    leaving.abort();
    await expect(request).rejects.toThrow();
    await eventually(async () => {
      const { data } = await app.query(
        '{ editJobs(first: 1) { edges { node { status prompt { text } } } } }',
      );
      expect(data.editJobs.edges[0].node).toEqual({
        status: 'SUCCEEDED',
        prompt: { text: 'left alone' },
      });
    });
    expect(paid()).toBe(before + 1);
  });

  test('twenty at once are twenty edits, each paid once', async () => {
    const before = paid();
    const picture = await png();
    const jobs = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        edit(
          { images: [{ file: null }], prompt: `number ${i}`, outputFormat: 'JPEG' },
          { 'input.images.0.file': picture },
        ),
      ),
    );
    expect(jobs.map(({ editJob }) => editJob.status)).toEqual(Array(20).fill('SUCCEEDED'));
    expect(new Set(jobs.map(({ editJob }) => editJob.id)).size).toBe(20);
    expect(paid()).toBe(before + 20);
  });

  test('keeps prompts to the letter: scripts, emoji, directions, line breaks', async () => {
    const prompts = [
      '把背景换成海边',
      '👩‍👩‍👧‍👦 at the sea',
      'اجعلها خريفية ‮abc',
      'a\r\nb\tc',
      'x'.repeat(32_000),
    ];
    for (const prompt of prompts) {
      const { editJob } = await edit(
        { images: [{ file: null }], prompt, quality: 'LOW' },
        { 'input.images.0.file': await png() },
      );
      expect(editJob.prompt.text).toBe(prompt);
      expect(lastRequest()?.fields[0]).toEqual(['prompt', prompt]);
    }
  });

  test.each([
    ['moderation', { kind: 'moderation' }, 'FAILED', 'MODERATION_BLOCKED', false, 0],
    ['a quota', { kind: 'quota' }, 'FAILED', 'INSUFFICIENT_QUOTA', false, 0],
    ['a wrong key', { kind: 'auth' }, 'FAILED', 'AUTHENTICATION_FAILED', false, 0],
    ['the API’s own 500', { kind: 'status', status: 500 }, 'FAILED', 'SERVER_ERROR', true, 0],
    [
      'a proxy’s 502',
      { kind: 'status', status: 502, body: 'html' },
      'OUTCOME_UNKNOWN',
      'SERVER_ERROR',
      false,
      1,
    ],
    ['a reset', { kind: 'reset' }, 'OUTCOME_UNKNOWN', 'CONNECTION_LOST', false, 1],
    ['a cut answer', { kind: 'truncate' }, 'OUTCOME_UNKNOWN', 'BROKEN_ANSWER', false, 1],
    ['a web page', { kind: 'html' }, 'OUTCOME_UNKNOWN', 'BROKEN_ANSWER', false, 1],
    ['no pictures', { kind: 'empty_data' }, 'OUTCOME_UNKNOWN', 'BROKEN_ANSWER', false, 1],
    [
      'images that are none',
      { kind: 'not_an_image' },
      'OUTCOME_UNKNOWN',
      'BROKEN_ANSWER',
      false,
      1,
    ],
    ['a redirect', { kind: 'redirect' }, 'FAILED', 'BAD_REQUEST', false, 0],
  ] as const)(
    '%s ends as a job with its error, after one POST',
    async (_, fault, status, code, retryable, cost) => {
      const before = app.sandbox.stats();
      app.sandbox.faults.push(fault);
      const { editJob } = await edit(
        { images: [{ file: null }], prompt: 'fails' },
        { 'input.images.0.file': await png() },
      );
      expect(editJob).toMatchObject({
        status,
        error: { code, retryable },
        usage: null,
        outputImages: [],
      });
      expect(editJob.error.message).not.toBe('');
      expect(editJob.error.moderationDetails).toEqual(
        fault.kind === 'moderation' ? { stage: 'input', categories: ['violence'] } : null,
      );
      expect(editJob.upstreamResult).toBeNull();
      const after = app.sandbox.stats();
      expect(after.requests).toBe(before.requests + 1);
      expect(after.paid).toBe(before.paid + cost);
    },
  );

  test('unreported usage is unknown, not 0', async () => {
    app.sandbox.faults.push({ kind: 'no_usage' });
    const { editJob } = await edit(
      { images: [{ file: null }], prompt: 'silent' },
      { 'input.images.0.file': await png() },
    );
    expect(editJob).toMatchObject({ status: 'SUCCEEDED', usage: null });
  });

  test('keeps the key, the prompts and the images out of the log', async () => {
    await edit(
      { images: [{ file: null }], prompt: 'prompt-canary-7f3a' },
      { 'input.images.0.file': await png() },
    );
    const log = app.logged.join('');
    expect(log).toContain('edit ended');
    expect(log).not.toContain('sk-test-canary');
    expect(log).not.toContain('prompt-canary-7f3a');
    expect(log).not.toContain('iVBOR');
  });

  test('keeps everything over a restart', async () => {
    const { editJob } = await edit(
      { images: [{ file: null }], prompt: 'kept', metadata: { project: 'p1' } },
      { 'input.images.0.file': await png() },
    );
    await app.restart();
    const { data } = await app.query(
      'query($id: ID!) { editJob(id: $id) { status metadata prompt { text } outputImages { url sha256 } usage { totalTokens } } }',
      { id: editJob.id },
    );
    expect(data.editJob).toMatchObject({
      status: 'SUCCEEDED',
      metadata: { project: 'p1' },
      prompt: { text: 'kept' },
      usage: { totalTokens: editJob.usage.totalTokens },
    });
    const picture = await fetch(data.editJob.outputImages[0].url);
    expect(picture.headers.get('etag')).toBe(`"${data.editJob.outputImages[0].sha256}"`);
    await picture.body?.cancel();
  });
});
