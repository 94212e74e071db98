import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import {
  hasSizes,
  nearestSize,
  parseSize,
  type SizeRule,
  sizeProblem,
} from '../../src/models/sizes.ts';

const FLEXIBLE = CATALOGUE.get('gpt-image-2')?.sizes;
if (FLEXIBLE?.kind !== 'flexible') throw new Error('gpt-image-2 takes any size within limits');
const rule: SizeRule = FLEXIBLE;

const problem = (size: string) => sizeProblem(rule, parseSize(size) ?? { width: 0, height: 0 });
const source = (width: number, height: number) => nearestSize(rule, { width, height });
/** An image's edge, as long as one may be, with the short and the long ones as likely. */
const edge = fc.oneof(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 1, max: 4_000 }));

describe('from gpt-image-2 on a size', () => {
  it.each([
    ['2880x2880', 'the most pixels'],
    ['3840x2160', 'the longest edge'],
    ['3840x1280', 'the widest ratio'],
    ['1280x512', 'the fewest pixels'],
    ['512x1280', 'the fewest pixels, upright'],
    ['1024x1024', 'the default'],
  ])('of %s is valid: %s', (size) => {
    expect(problem(size)).toBeNull();
  });

  it.each([
    ['256x256', 'too few pixels'],
    ['1264x512', 'one step too few pixels'],
    ['3840x3840', 'too many pixels'],
    ['2896x2880', 'one step too many pixels'],
    ['4096x1024', 'too long, and too wide'],
    ['3856x2160', 'one step too long'],
    ['3840x1264', 'a ratio of 3.04'],
    ['1264x3840', 'a ratio of 3.04, upright'],
    ['1000x1000', 'off the grid'],
    ['1024x1000', 'off the grid by one edge'],
  ])('of %s is not: %s', (size) => {
    expect(problem(size)).toContain('both divisible by 16');
    expect(problem(size)).toContain('655,360 to 8,294,400 pixels');
  });
});

describe('the size of the source', () => {
  it.each([
    [300, 300, '816x816'],
    [300, 200, '1008x672'],
    [200, 300, '672x1008'],
    [1, 1, '816x816'],
    [2_880, 2_880, '2880x2880'],
    [3_840, 2_160, '3840x2160'],
    [512, 1_280, '512x1280'],
    [1_920, 1_080, '1936x1088'],
    [4_096, 4_096, '2880x2880'],
    [10_000, 100, '1728x576'],
    [300, 20, '1440x480'],
    [100, 9_999, '576x1728'],
  ])('of %ix%i is %s', (width, height, size) => {
    expect(source(width, height)).toBe(size);
  });

  it('is one that the model accepts, for any image and any model', () => {
    const models = [...CATALOGUE.values()];
    const property = fc.property(edge, edge, (width, height) => {
      for (const { sizes } of models) {
        if (sizes === null) throw new Error('a model of the catalogue has sizes');
        const size = parseSize(nearestSize(sizes, { width, height }));
        expect(size && sizeProblem(sizes, size)).toBeNull();
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('keeps the shape of an image that is not wider than the model allows, within 3 %', () => {
    const property = fc.property(
      edge,
      fc.double({ min: 1, max: 3, noNaN: true }),
      (short, ratio) => {
        const image = { width: short * ratio, height: short };
        const size = parseSize(nearestSize(rule, image));
        const got = (size?.width ?? 0) / (size?.height ?? 1);
        expect(Math.abs(Math.log(got / ratio))).toBeLessThan(0.03);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it('is an image’s own size, if the model accepts that', () => {
    const steps = fc.integer({ min: 1, max: 240 }).map((step) => step * 16);
    const own = fc.property(steps, steps, (width, height) => {
      fc.pre(sizeProblem(rule, { width, height }) === null);
      expect(source(width, height)).toBe(`${width}x${height}`);
    });
    fc.assert(own, { numRuns: 300 });
  });

  it('is found for any rule that leaves a size, and a rule without one is told', () => {
    const rules = fc.record({
      kind: fc.constant('flexible' as const),
      multipleOf: fc.constantFrom(1, 8, 16, 64),
      maxRatio: fc.double({ min: 1, max: 4, noNaN: true }),
      maxLongEdge: fc.integer({ min: 16, max: 600 }),
      maxShortEdge: fc.integer({ min: 16, max: 600 }),
      minPixels: fc.integer({ min: 1, max: 200_000 }),
      maxPixels: fc.integer({ min: 1, max: 400_000 }),
    });
    const property = fc.property(rules, edge, edge, (one, width, height) => {
      if (!hasSizes(one)) {
        expect(() => nearestSize(one, { width, height })).toThrow(RangeError);
        return;
      }
      const size = parseSize(nearestSize(one, { width, height }));
      expect(size && sizeProblem(one, size)).toBeNull();
    });
    fc.assert(property, { numRuns: 300 });
  });
});
