import { describe, expect, test } from 'vitest';
import { checkEditParams } from '../../src/edits/edit-params.ts';
import { checkPictures } from '../../src/edits/edit-pictures.ts';
import { toFormFields } from '../../src/edits/form-fields.ts';
import { InvalidInputError } from '../../src/errors.ts';
import { createKnownModels, createModels } from '../../src/models/models.ts';

const models = createModels({
  known: createKnownModels(),
  default: 'gpt-image-1',
  allowed: null,
});
const picture = { width: 800, height: 600, bytes: 1_000, format: 'PNG', hasAlpha: false } as const;

function refusal(work: () => unknown): Pick<InvalidInputError, 'field' | 'code' | 'message'> {
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
    const { resolvedSize } = checkPictures(params, models, [picture], null);
    expect(toFormFields(params, resolvedSize)).toEqual([
      ['prompt', 'p'],
      ['model', 'brand-new'],
      ['size', '123x457'],
      ['quality', 'max'],
    ]);
  });

  test('pictures on the way turn streaming on, none leave it off, and more than the model has are refused', () => {
    const check = (partialImages: number) =>
      checkEditParams({ prompt: 'p', partialImages }, models);
    const fields = (partialImages: number) => new Map(toFormFields(check(partialImages), 'auto'));
    expect(fields(3)).toEqual(new Map([...fields(0), ['stream', 'true'], ['partial_images', '3']]));
    expect(fields(0).has('stream')).toBe(false);
    expect(refusal(() => check(4))).toMatchObject({ field: 'partialImages', code: 'TOO_LARGE' });
    expect(refusal(() => check(-1))).toMatchObject({ field: 'partialImages', code: 'TOO_SMALL' });
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

  test('gpt-image-2 takes any size on its grid, and says which grid', () => {
    const check = (size: string) =>
      checkEditParams({ prompt: 'p', model: 'gpt-image-2', size }, models);
    expect(check('2048x1152').size).toBe('2048x1152');
    for (const size of ['1000x1000', '3840x1024', '4096x2160', '2176x3840']) {
      const { code, message } = refusal(() => check(size));
      expect(code).toBe('UNSUPPORTED_VALUE');
      expect(message).toContain('divisible by 16');
    }
  });

  test('"source" resolves to what the model takes, for any shape of picture', () => {
    const resolve = (model: string, width: number, height: number) => {
      const params = checkEditParams({ prompt: 'p', model, size: 'source' }, models);
      return checkPictures(params, models, [{ ...picture, width, height }], null).resolvedSize;
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

  test('a picture over the model’s limit is refused, exactly the limit passes', () => {
    const params = checkEditParams({ prompt: 'p' }, models);
    const limit = 50 * 1024 * 1024;
    checkPictures(params, models, [{ ...picture, bytes: limit }], null);
    const { field, message } = refusal(() =>
      checkPictures(params, models, [picture, { ...picture, bytes: limit + 1 }], null),
    );
    expect(field).toBe('images[1]');
    expect(message).toContain(String(limit));
  });
});
