import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createOpenAI } from '@ai-sdk/openai';
import { generateImage } from 'ai';
import OpenAI, { toFile } from 'openai';
import { describe, expect, test } from 'vitest';
import { findProgram } from '../../../support/find-program.ts';
import { jpeg, png, webp } from '../../../support/test-images.ts';
import { CLIENTS, IMAGE_FILE, MASK_FILE, recordedRequest, replay } from './client-requests.ts';
import { type Received, receiveServer } from './receive-server.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const python = findProgram('python3');

/** What every client of CLIENTS sends. */
async function expectEdit({ params, images, mask, isStreamed }: Received): Promise<void> {
  const [image, alpha] = [await readFile(IMAGE_FILE), await readFile(MASK_FILE)].map(sha256);
  expect(images.map((received) => received.sha256)).toEqual([image, image]);
  expect(mask?.sha256).toBe(alpha);
  expect(params).toMatchObject({
    prompt: 'a hat – 帽子',
    model: 'gpt-image-1',
    n: 2,
    size: '1024x1024',
    metadata: { user: 'u' },
    extraParams: null,
  });
  expect(isStreamed).toBe(false);
}

describe.each(Object.keys(CLIENTS))('%s', (name) => {
  test('is understood as it was recorded', async () => {
    const server = await receiveServer();
    const response = await replay(server.port, await recordedRequest(name));
    expect(response).toMatch(/^HTTP\/1.1 200/);
    await expectEdit(server.last());
  });

  test.runIf(name !== 'openai-python' || python !== null)('is understood', async () => {
    const server = await receiveServer();
    await CLIENTS[name]?.(server.url);
    await expectEdit(server.last());
  });
});

describe('the OpenAI client for Node', () => {
  test('sends one image, every parameter, and a stream', async () => {
    const server = await receiveServer();
    const client = new OpenAI({ baseURL: server.url, apiKey: 'sk-none', maxRetries: 0 });
    const image = await webp();
    await client.images.edit({
      image: await toFile(image, undefined, { type: 'image/webp' }),
      prompt: 'p',
      quality: 'high',
      background: 'opaque',
      output_format: 'webp',
      output_compression: 80,
      input_fidelity: 'high',
      partial_images: 2,
      stream: true,
    });
    const { params, images, isStreamed } = server.last();
    expect(images).toMatchObject([{ sha256: sha256(image) }]);
    expect(isStreamed).toBe(true);
    expect(params).toMatchObject({
      quality: 'high',
      background: 'opaque',
      outputFormat: 'webp',
      outputCompression: 80,
      inputFidelity: 'high',
      partialImages: 2,
    });
  });

  test('sends JSON by its own method for any request', async () => {
    const server = await receiveServer();
    const client = new OpenAI({ baseURL: server.url, apiKey: 'sk-none', maxRetries: 0 });
    const image = await jpeg();
    await client.post('/images/edits', {
      body: {
        images: [{ image_url: `data:image/jpeg;base64,${image.toString('base64')}` }],
        prompt: 'p',
        n: 3,
        metadata: { project: 'spring' },
        style: { mode: 'x' },
      },
    });
    const { params, images } = server.last();
    expect(images).toMatchObject([{ sha256: sha256(image) }]);
    expect(params).toMatchObject({
      n: 3,
      metadata: { project: 'spring' },
      extraParams: { style: { mode: 'x' } },
    });
  });
});

describe('the Vercel AI SDK', () => {
  test('sends one image and options of the provider', async () => {
    const server = await receiveServer();
    const provider = createOpenAI({ baseURL: server.url, apiKey: 'sk-none' });
    const image = await png();
    await generateImage({
      model: provider.image('gpt-image-1'),
      prompt: { text: 'p', images: [image] },
      providerOptions: { openai: { quality: 'low', background: 'opaque' } },
    });
    const { params, images, mask } = server.last();
    expect(images).toMatchObject([{ sha256: sha256(image) }]);
    expect(mask).toBeNull();
    expect(params).toMatchObject({ quality: 'low', background: 'opaque' });
  });
});
