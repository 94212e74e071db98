import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEstimateEdit } from '../../../src/edits/input/estimate-edit.ts';
import { InvalidInputError } from '../../../src/errors.ts';
import { createKnownModels, createModels } from '../../../src/models/models.ts';
import { createPriceTable } from '../../../src/models/prices.ts';
import { type SandboxProcess, startSandboxProcess } from '../../support/processes.ts';
import { turnedJpeg } from '../../support/test-images.ts';

const known = createKnownModels();
const UNKNOWN = new InvalidInputError('model', 'UNSUPPORTED_VALUE', 'not known');
const estimateEdit = createEstimateEdit({
  models: createModels({ known, default: 'gpt-image-1', allowed: null }),
  prices: createPriceTable((model) => known.get(model).prices),
  // No reservation is tested here.
  costBound: async () => ({ tokens: UNKNOWN, costMicroUsd: UNKNOWN }),
  sandbox: false,
});

const SIZES = ['1024x1024', '1536x1024', '1024x1536', 'auto', 'source'] as const;
const QUALITIES = ['low', 'medium', 'high', 'auto'] as const;
const FIDELITIES = ['low', 'high'] as const;
const SETS = ['one', 'several', 'large'] as const;
/**
 * Input tokens depend on the fidelity and the images, output tokens on the size and the quality: all
 * pairs of either, with the others in turn.
 */
const COMBINATIONS = [
  ...SIZES.flatMap((size, s) =>
    QUALITIES.map((quality, q) => ({
      size,
      quality,
      fidelity: FIDELITIES[(s + q) % 2] ?? 'low',
      images: SETS[(s + q) % 3] ?? 'one',
    })),
  ),
  ...FIDELITIES.flatMap((fidelity) =>
    SETS.map((images) => ({ size: '1024x1024', quality: 'low', fidelity, images }) as const),
  ),
];

const PROMPT =
  '把背景换成阳光明媚的海滩，保留人物的清晰度。Keep the person sharp, and make the sky a little bluer.';

const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#3a6ea5' } })
    .jpeg()
    .toBuffer();

describe('an estimate', () => {
  let sandbox: SandboxProcess;
  let openai: OpenAI;
  let sets: Record<(typeof SETS)[number], { data: Buffer; width: number; height: number }[]>;

  beforeAll(async () => {
    sandbox = await startSandboxProcess({ fixedOutputBytes: null });
    openai = new OpenAI({ baseURL: sandbox.url, apiKey: 'sk-any', maxRetries: 0 });
    const picture = async (width: number, height: number) => ({
      data: await plain(width, height),
      width,
      height,
    });
    sets = {
      one: [await picture(700, 500)],
      several: [
        await picture(40, 30),
        await picture(2_100, 700),
        { data: await turnedJpeg(640, 200), width: 200, height: 640 },
      ],
      large: [await picture(3_000, 4_000)],
    };
  });
  afterAll(() => sandbox?.stop());

  it.each(COMBINATIONS)(
    'of size $size, $quality quality, $fidelity fidelity and $images is within 10 % of what is used',
    async ({ size, quality, fidelity: inputFidelity, images }) => {
      const pictures = sets[images];
      const { resolvedSize, totalTokens, gaps } = await estimateEdit({
        prompt: PROMPT,
        size,
        quality,
        inputFidelity,
        images: pictures,
      });
      const { usage } = await openai.images.edit({
        prompt: PROMPT,
        image: await Promise.all(
          pictures.map(({ data }) => toFile(data, 'a.jpg', { type: 'image/jpeg' })),
        ),
        model: 'gpt-image-1',
        size: resolvedSize as '1024x1024',
        quality,
        input_fidelity: inputFidelity,
        output_format: 'jpeg',
      });
      const used = usage?.total_tokens ?? 0;
      const { min, max } = totalTokens ?? { min: 0, max: 0 };
      expect(used).toBeGreaterThanOrEqual(min * 0.9);
      expect(used).toBeLessThanOrEqual(max * 1.1);
      const auto = [quality === 'auto' && 'AUTO_QUALITY', size === 'auto' && 'AUTO_SIZE'];
      expect(gaps).toEqual(auto.filter(Boolean));
      if (gaps.length === 0) expect(max).toBe(min);
    },
  );

  it.each(['gpt-image-1', 'gpt-image-1.5', 'gpt-image-2'])(
    'of the output of %s is within 10 % of what is used, with several and partial images',
    async (model) => {
      const asked = {
        prompt: 'a red hat',
        size: '1536x1024',
        quality: 'low',
        n: 2,
        model,
      } as const;
      const { outputTokens } = await estimateEdit({
        ...asked,
        partialImages: 3,
        images: [async () => ({ width: 64, height: 64 })],
      });
      const image = await toFile(await plain(64, 64), 'a.jpg', { type: 'image/jpeg' });
      let used = 0;
      const events = await openai.images.edit({ ...asked, image, stream: true, partial_images: 3 });
      for await (const event of events) {
        if (event.type === 'image_edit.completed') used += event.usage.output_tokens;
      }
      expect(outputTokens?.min).toBe(outputTokens?.max);
      expect(Math.abs((outputTokens?.max ?? 0) - used)).toBeLessThanOrEqual(used / 10);
    },
  );

  it('checks what is asked for as an edit does', async () => {
    const ask = (input: object, images = [{ width: 64, height: 64 }]) =>
      estimateEdit({ prompt: 'a red hat', ...input, images });
    await expect(ask({ prompt: ' ' })).rejects.toMatchObject({ field: 'prompt' });
    await expect(ask({ size: '512x512' })).rejects.toMatchObject({ field: 'size' });
    await expect(ask({ n: 11 })).rejects.toMatchObject({ field: 'n' });
    await expect(ask({}, [])).rejects.toMatchObject({ field: 'images' });
    await expect(ask({}, [{ width: 64, height: 0 }])).rejects.toMatchObject({
      field: 'images[0].dimensions.height',
      code: 'TOO_SMALL',
    });
    await expect(ask({}, [{ width: 100_000, height: 1 }])).rejects.toBeInstanceOf(
      InvalidInputError,
    );
  });

  it('reports all problems at once, and looks up no image then', async () => {
    let lookups = 0;
    const lookUp = async () => {
      lookups += 1;
      return { width: 64, height: 64 };
    };
    const images = [lookUp, { width: 0, height: 100_000 }];
    const error = await estimateEdit({ prompt: ' ', n: 11, images }).catch((thrown) => thrown);
    expect(error.problems.map(({ field }: { field: string }) => field)).toEqual([
      'images[1].dimensions.width',
      'images[1].dimensions.height',
      'prompt',
      'n',
    ]);
    expect(lookups).toBe(0);
  });
});
