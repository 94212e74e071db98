import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import type { PlannedEdit } from '../../src/models/estimate.ts';
import { createKnownModels } from '../../src/models/models.ts';
import { extremeSizes, parseSize } from '../../src/models/sizes.ts';
import {
  BOUND_KINDS,
  boundBasis,
  boundTokens,
  costOfBound,
  NO_RAISES,
  raiseBound,
  raiseFor,
} from '../../src/models/token-bound.ts';

const models = createKnownModels();
const SQUARE = { width: 1_024, height: 1_024 };

function plan(
  model: string,
  { size = '1024x1024', ...changes }: Partial<PlannedEdit> & { size?: string } = {},
): PlannedEdit {
  const { tokens, sizes } = models.get(model);
  const parsed = parseSize(size);
  return {
    tokens,
    textTokens: 10,
    images: [SQUARE],
    inputFidelity: 'low',
    sizes: parsed && [parsed],
    extremeSizes: parsed ? [parsed] : extremeSizes(sizes),
    quality: 'auto',
    n: 1,
    partialImages: 0,
    ...changes,
  };
}
const boundOf = (...args: Parameters<typeof plan>) => boundTokens(plan(...args));

describe('a bound', () => {
  it('is the published tokens where all are published, with nothing added', () => {
    expect(boundOf('gpt-image-1', { quality: 'medium' })).toEqual({
      textInput: 10,
      imageInput: 194,
      output: 1_056,
    });
  });

  it('has a safety factor of 2 where it is measured, or assumed of another model', () => {
    for (const model of ['gpt-image-2', 'gpt-image-2.5-flare', 'gpt-image-2.6-sunburst']) {
      expect(boundOf(model).imageInput).toBe(2 * 1_536);
    }
    const figures = (model: string, quality: string, size = '1536x1024') =>
      boundOf(model, { quality, size }).output;
    expect(figures('gpt-image-2.6-flare', 'low')).toBe(2 * 664);
    expect(figures('gpt-image-2.6-flare', 'high')).toBe(2 * 1_353);
    expect(figures('gpt-image-2.6-flare', 'high', '3840x2160')).toBe(2 * 3_337);
    expect(figures('gpt-image-2.6-flare', 'auto')).toBe(2 * 5_800);
    expect(figures('gpt-image-1-mini', 'high', '1024x1024')).toBe(2 * 4_500);
  });

  it('of a published grid is the grid, without a factor', () => {
    expect(boundOf('gpt-image-2', { quality: 'high' }).output).toBe(7_024);
    expect(boundOf('gpt-image-2.5-flare', { quality: 'max' }).output).toBe(7_024);
    expect(boundOf('gpt-image-2.5-flare', { quality: 'xhigh' }).output).toBe(3_122);
  });

  it('of what is left to the model is that of its dearest choice', () => {
    expect(boundOf('gpt-image-2').output).toBe(7_024);
    // 2880x2880, which takes more than 3840x2160 does.
    expect(boundOf('gpt-image-2', { size: 'auto' }).output).toBe(23_719);
    expect(boundOf('gpt-image-1', { size: 'auto' }).output).toBe(6_240);
  });

  const each = [...CATALOGUE.keys(), 'gpt-image-2-2026-04-21', 'gpt-image-2.6-flare-2026-11-04'];
  const qualityOf = (model: string) => fc.constantFrom(...(models.get(model).qualities ?? []));

  it.each(each)('of %s is known for every quality and size that it accepts', (model) => {
    const sizes = ['1024x1024', '1536x1024', '1024x1536', 'auto'];
    const { qualities, sizes: accepted, prices } = models.get(model);
    if (accepted?.kind === 'flexible') sizes.push('1280x512', '2880x2880', '3840x2160');
    for (const quality of qualities ?? []) {
      for (const size of sizes) {
        const bound = boundOf(model, { quality, size });
        for (const kind of BOUND_KINDS) expect(bound[kind]).toBeGreaterThan(0);
        const version = prices.at(-1);
        expect(version && costOfBound(bound, version)).toBeGreaterThan(0n);
      }
    }
  });

  it.each(each)('of %s does not fall with anything that makes an edit dearer', (model) => {
    const property = fc.property(
      qualityOf(model),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 0, max: 30_000 }),
      (quality, n, partialImages, images, textTokens) => {
        const asked = { quality, n, partialImages, textTokens, images: Array(images).fill(SQUARE) };
        const bound = boundOf(model, asked);
        const dearer = [
          { quality: 'auto' },
          { size: 'auto' },
          { n: n + 1 },
          { partialImages: partialImages + 1 },
          { images: [...asked.images, SQUARE] },
          { textTokens: textTokens + 1 },
        ];
        for (const change of dearer) {
          const other = boundOf(model, { ...asked, ...change });
          for (const kind of BOUND_KINDS) {
            expect(other[kind], JSON.stringify(change)).toBeGreaterThanOrEqual(bound[kind] ?? 0);
          }
        }
      },
    );
    fc.assert(property, { numRuns: 40 });
  });

  it('is null where nothing is known', () => {
    expect(boundOf('house-model')).toMatchObject({ imageInput: null, output: null });
    expect(boundOf('gpt-image-2', { quality: 'max' }).output).toBeNull();
  });
});

describe('usage above a bound', () => {
  it('raises it to twice that usage for the same edit, and in proportion for others', () => {
    const one = boundOf('gpt-image-2', { quality: 'low' });
    const factor = raiseFor('output', one.output ?? 0, 1_000);
    const raises = { ...NO_RAISES, output: factor };
    expect(raiseBound(one, raises)).toEqual({ ...one, output: 2_000 });
    const two = boundOf('gpt-image-2', { quality: 'low', n: 2 });
    expect(raiseBound(two, raises).output).toBe(4_000);
  });

  it('of a short prompt, to which the edits API adds some tokens, raises a long one’s no more', () => {
    const raises = { ...NO_RAISES, textInput: raiseFor('textInput', 3, 13) };
    const bound = (textInput: number) =>
      raiseBound({ textInput, imageInput: 1, output: 1 }, raises).textInput;
    expect(bound(3)).toBe(26);
    expect(bound(8_000)).toBe(8_000);
  });

  it('never makes the next bound of the same edit less than it was', () => {
    const amounts = fc.integer({ min: 1, max: 1_000_000 });
    const property = fc.property(
      fc.constantFrom(...BOUND_KINDS),
      amounts,
      amounts,
      (kind, b, extra) => {
        const raises = { ...NO_RAISES, [kind]: raiseFor(kind, b, b + extra) };
        const bound = { textInput: b, imageInput: b, output: b };
        expect(raiseBound(bound, raises)[kind]).toBeGreaterThanOrEqual(b + extra);
      },
    );
    fc.assert(property);
  });

  it('means nothing to a model whose rules have changed', () => {
    const { tokens } = models.get('gpt-image-2');
    expect(boundBasis(tokens)).toBe(boundBasis(models.get('gpt-image-2-2026-04-21').tokens));
    expect(boundBasis({ ...tokens, input: null })).not.toBe(boundBasis(tokens));
  });
});
