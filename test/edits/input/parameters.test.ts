import { describe, expect, test } from 'vitest';
import { toFormFields } from '../../../src/edits/input/form-fields.ts';
import { checkImages } from '../../../src/edits/input/images.ts';
import { checkEditParams } from '../../../src/edits/input/parameters.ts';
import { PARAMETERS } from '../../../src/edits/parameters.ts';
import { InvalidInputError } from '../../../src/errors.ts';
import { createKnownModels, createModels } from '../../../src/models/models.ts';

const models = createModels({
  known: createKnownModels(),
  default: 'gpt-image-1',
  allowed: null,
});
const picture = { width: 800, height: 600, bytes: 1_000, format: 'PNG', hasAlpha: false } as const;

function refusal(work: () => unknown): InvalidInputError {
  try {
    work();
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('edit parameters', () => {
  test('an unknown model is forwarded with what it was given', () => {
    const params = checkEditParams(
      { prompt: 'p', model: 'brand-new', size: '123x457', quality: 'max' },
      models,
    );
    const { resolvedSize } = checkImages(params, models, [picture], null);
    expect(toFormFields(params, resolvedSize)).toEqual([
      ['prompt', 'p'],
      ['model', 'brand-new'],
      ['size', '123x457'],
      ['quality', 'max'],
    ]);
  });

  test('partial images turn streaming on, none leave it off, and more than the model has are refused', () => {
    const check = (partialImages: number) =>
      checkEditParams({ prompt: 'p', partialImages }, models);
    const fields = (partialImages: number) => new Map(toFormFields(check(partialImages), 'auto'));
    expect(fields(3)).toEqual(new Map([...fields(0), ['stream', 'true'], ['partial_images', '3']]));
    expect(fields(0).has('stream')).toBe(false);
    expect(refusal(() => check(4))).toMatchObject({ field: 'partialImages', code: 'TOO_LARGE' });
    expect(refusal(() => check(-1))).toMatchObject({ field: 'partialImages', code: 'TOO_SMALL' });
  });

  test('all problems are reported at once, in the order of the parameters', () => {
    const { field, code, message, problems } = refusal(() =>
      checkEditParams(
        {
          prompt: '',
          n: 11,
          size: '512x512',
          background: 'transparent',
          outputFormat: 'jpeg',
          outputCompression: 101,
          inputFidelity: 'highest',
          partialImages: -1,
          extraParams: { size: '1x1', image: 'x' },
          metadata: { project: [], '': 1 },
        },
        models,
      ),
    );
    expect(problems.map((problem) => [problem.field, problem.code])).toEqual([
      ['prompt', 'REQUIRED'],
      ['n', 'TOO_LARGE'],
      ['size', 'UNSUPPORTED_VALUE'],
      ['background', 'UNSUPPORTED_VALUE'],
      ['outputCompression', 'TOO_LARGE'],
      ['inputFidelity', 'UNSUPPORTED_VALUE'],
      ['partialImages', 'TOO_SMALL'],
      ['extraParams.size', 'INVALID_VALUE'],
      ['extraParams.image', 'INVALID_VALUE'],
      ['metadata', 'INVALID_VALUE'],
      ['metadata.project', 'INVALID_VALUE'],
    ]);
    expect({ field, code, message }).toEqual(problems[0]);
  });

  test('values that depend on an invalid model are not checked against it, and the others are', () => {
    const { problems } = refusal(() =>
      checkEditParams(
        { prompt: '', model: 'a b', size: '512x512', quality: 'best', n: 11 },
        models,
      ),
    );
    expect(problems.map(({ field }) => field)).toEqual(['prompt', 'model', 'n']);
  });

  test('a model outside of the allow-list is refused, and the list is named', () => {
    const some = createModels({
      known: createKnownModels(),
      default: 'a',
      allowed: ['a', 'b'],
    });
    const { field, message } = refusal(() => checkEditParams({ prompt: 'p', model: 'c' }, some));
    expect(field).toBe('model');
    expect(message).toContain('a, b');
  });

  test('a model that is allowed is so under the names of its dated snapshots, and not the other way round', () => {
    const allow = (...allowed: string[]) => {
      const some = createModels({ known: createKnownModels(), default: 'a', allowed });
      return {
        check: (model: string) => checkEditParams({ prompt: 'p', model }, some).model,
        listed: some.list().map(({ id }) => id),
      };
    };
    const whole = allow('gpt-image-2');
    expect(whole.check('gpt-image-2-2026-04-21')).toBe('gpt-image-2-2026-04-21');
    expect(whole.listed).toEqual(['gpt-image-2']);
    expect(refusal(() => whole.check('gpt-image-2-large')).field).toBe('model');
    const one = allow('gpt-image-2-2026-04-21');
    expect(one.check('gpt-image-2-2026-04-21')).toBe('gpt-image-2-2026-04-21');
    expect(one.listed).toEqual(['gpt-image-2-2026-04-21']);
    expect(refusal(() => one.check('gpt-image-2')).field).toBe('model');
    expect(refusal(() => one.check('gpt-image-2-2027-01-01')).field).toBe('model');
  });

  test.each([
    ['gpt-image-2', '256x256'],
    ['gpt-image-2', '3840x3840'],
    ['gpt-image-2.5-flare', '1000x1000'],
    ['gpt-image-2.6-sunburst', '4096x1024'],
    ['gpt-image-2-2026-04-21', '3840x1264'],
  ])('%s does not accept the size %s: the limits and the nearest size are named', (model, size) => {
    const check = (asked: string) => checkEditParams({ prompt: 'p', model, size: asked }, models);
    const { field, code, message } = refusal(() => check(size));
    expect([field, code]).toEqual(['size', 'UNSUPPORTED_VALUE']);
    expect(message).toContain('no edge above 3840');
    const [, nearest = ''] = /nearest: (\w+)/.exec(message) ?? [];
    expect(check(nearest).size).toBe(nearest);
  });

  test.each([
    ['gpt-image-1', { inputFidelity: 'high' }],
    ['gpt-image-1.5', { inputFidelity: 'low' }],
    ['gpt-image-1.5-2025-12-16', { inputFidelity: 'high' }],
    ['gpt-image-1-mini', { inputFidelity: 'low' }],
    ['gpt-image-2', { quality: 'high' }],
    ['gpt-image-2', { size: '2880x2880' }],
    ['gpt-image-2.5-flare', { quality: 'xhigh' }],
    ['gpt-image-2.6-sunburst', { quality: 'max' }],
    ['gpt-image-2.6-flare', { complexity: 'low' }],
    ['house-model', { inputFidelity: 'high', quality: 'max', complexity: 'x' }],
  ])('%s accepts %j', (model, input) => {
    expect(checkEditParams({ prompt: 'p', model, ...input }, models)).toMatchObject(input);
  });

  test.each([
    ['gpt-image-1-mini', 'inputFidelity', { inputFidelity: 'high' }, 'low'],
    ['gpt-image-2', 'inputFidelity', { inputFidelity: 'low' }, 'omit it'],
    ['gpt-image-2-2026-04-21', 'inputFidelity', { inputFidelity: 'high' }, 'omit it'],
    ['gpt-image-2.5-sunburst', 'inputFidelity', { inputFidelity: 'low' }, 'omit it'],
    ['gpt-image-2.6-flare', 'inputFidelity', { inputFidelity: 'high' }, 'omit it'],
    ['gpt-image-1', 'quality', { quality: 'xhigh' }, 'low, medium, high, auto'],
    ['gpt-image-2', 'quality', { quality: 'max' }, 'low, medium, high, auto'],
    ['gpt-image-1', 'complexity', { complexity: 'low' }, 'omit it'],
    ['gpt-image-2.5-flare', 'complexity', { complexity: 'low' }, 'omit it'],
    ['gpt-image-2.6-flare', 'complexity', { complexity: 'max' }, 'low, medium, high'],
    ['house-model', 'extraParams.complexity', { extraParams: { complexity: 'low' } }, ''],
    ['gpt-image-2.6-flare', 'extraParams.Complexity', { extraParams: { Complexity: 'low' } }, ''],
    ['gpt-image-2', 'extraParams.input_fidelity', { extraParams: { input_fidelity: 'low' } }, ''],
    ['gpt-image-2', 'extraParams.Input_Fidelity', { extraParams: { Input_Fidelity: 'low' } }, ''],
    ['gpt-image-1', 'extraParams.n[]', { extraParams: { 'n[]': 10 } }, ''],
    ['gpt-image-1', 'extraParams.image[0]', { extraParams: { 'image[0]': 'x' } }, ''],
    ['gpt-image-2.5-flare', 'extraParams.markup', { extraParams: { markup: 'x' } }, ''],
    ['house-model', 'extraParams.size', { extraParams: { size: '1x1' } }, ''],
  ])('%s does not accept %s as %j', (model, field, input, advice) => {
    const refused = refusal(() => checkEditParams({ prompt: 'p', model, ...input }, models));
    expect(refused.field).toBe(field);
    expect(refused.message).toContain(advice);
  });

  test('"source" resolves to what the model takes, for any shape of image', () => {
    const resolve = (model: string, width: number, height: number) => {
      const params = checkEditParams({ prompt: 'p', model, size: 'source' }, models);
      return checkImages(params, models, [{ ...picture, width, height }], null).resolvedSize;
    };
    expect(resolve('gpt-image-1', 800, 600)).toBe('1536x1024');
    expect(resolve('gpt-image-1', 600, 800)).toBe('1024x1536');
    expect(resolve('gpt-image-1', 700, 710)).toBe('1024x1024');
    expect(resolve('unknown', 700, 710)).toBe('auto');
    for (const [width, height] of [
      [4096, 4096],
      [10_000, 100],
      [20, 20],
      [100, 9_999],
      [3840, 2160],
      [1, 1],
    ]) {
      const size = resolve('gpt-image-2', width ?? 0, height ?? 0);
      expect(checkEditParams({ prompt: 'p', model: 'gpt-image-2', size }, models).size).toBe(size);
    }
  });

  test('every parameter is sent under its name, and reserved in extraParams', () => {
    for (const { wireName } of Object.values(PARAMETERS)) {
      const extraParams = { [wireName]: 'x' };
      const { field } = refusal(() => checkEditParams({ prompt: 'p', extraParams }, models));
      expect(field).toBe(`extraParams.${wireName}`);
    }
    const params = checkEditParams(
      { prompt: 'p', model: 'gpt-image-2.6-flare', complexity: 'low', n: 1 },
      models,
    );
    expect(toFormFields(params, 'auto')).toEqual([
      ['prompt', 'p'],
      ['model', 'gpt-image-2.6-flare'],
      ['size', 'auto'],
      ['complexity', 'low'],
    ]);
  });

  test('a list in extraParams is sent as repeated fields if its name ends with [], else as JSON', () => {
    const extraParams = { 'tags[]': ['a', 2, { b: null }], 'none[]': [], tags: ['a'], 'x[]': 'y' };
    const params = checkEditParams({ prompt: 'p', model: 'gpt-image-2', extraParams }, models);
    expect(toFormFields(params, 'auto').slice(3)).toEqual([
      ['tags[]', 'a'],
      ['tags[]', '2'],
      ['tags[]', '{"b":null}'],
      ['tags', '["a"]'],
      ['x[]', 'y'],
    ]);
  });

  test('all problems of the images and the mask are reported at once', () => {
    const params = checkEditParams({ prompt: 'p' }, models);
    const large = { ...picture, bytes: 50 * 1024 * 1024 + 1 };
    const { problems } = refusal(() =>
      checkImages(params, models, [large, picture, large], { ...large, width: 1 }),
    );
    expect(problems.map(({ field, code }) => [field, code])).toEqual([
      ['images[0]', 'TOO_LARGE'],
      ['images[2]', 'TOO_LARGE'],
      ['mask', 'UNSUPPORTED_FORMAT'],
      ['mask', 'DIMENSION_MISMATCH'],
      ['mask', 'TOO_LARGE'],
    ]);
  });

  test('an image over the model’s limit is refused, exactly the limit passes', () => {
    const params = checkEditParams({ prompt: 'p' }, models);
    const limit = 50 * 1024 * 1024;
    checkImages(params, models, [{ ...picture, bytes: limit }], null);
    const { field, message } = refusal(() =>
      checkImages(params, models, [picture, { ...picture, bytes: limit + 1 }], null),
    );
    expect(field).toBe('images[1]');
    expect(message).toContain(String(limit));
  });
});
