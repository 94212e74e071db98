import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { createKnownModels, readKnownModels } from '../../src/models/models.ts';
import { createPriceTable, readPricesFile } from '../../src/models/prices.ts';
import { temporaryDirectory } from '../support/directory.ts';

const version = (name: string, from: string, imageOutput?: string | null) => ({
  version: name,
  from,
  source: 'https://prices.example/',
  usdPerMillionTokens: { imageOutput },
});

async function readFile(content: unknown) {
  const path = join(await temporaryDirectory(), 'prices.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return readPricesFile(path);
}

const tableOf = (prices: Awaited<ReturnType<typeof readFile>> = {}) => {
  const models = createKnownModels([], prices);
  return createPriceTable((model) => models.get(model).prices);
};
const pricesOf = (model: string) => createKnownModels().get(model).prices;

describe('the published prices', () => {
  const table = tableOf();

  it.each([
    ['gpt-image-1', [5, 1.25, 10, 2.5, null, 40]],
    ['gpt-image-1-mini', [2, 0.2, 2.5, 0.25, null, 8]],
    ['gpt-image-1.5', [5, 1.25, 8, 2, 10, 32]],
    ['chatgpt-image-latest', [5, 1.25, 8, 2, 10, 32]],
    ['gpt-image-2', [5, 1.25, 8, 2, null, 30]],
    ['gpt-image-2.5-flare', [5, 1.25, 8, 2, null, 30]],
    ['gpt-image-2.5-sunburst', [5, 1.25, 8, 2, null, 30]],
    ['gpt-image-2.6-flare', [5, 1.25, 8, 2, null, 30]],
    ['gpt-image-2.6-sunburst', [5, 1.25, 8, 2, null, 30]],
  ])('of %s are those of the edits API’s price list', (model, published) => {
    const prices = table.at(model, new Date('2026-11-28'))?.prices;
    expect(Object.values(prices ?? {}).map((price) => price && Number(price) / 1e9)).toEqual(
      published,
    );
  });

  it('hold for a dated snapshot of a model, too', () => {
    expect(pricesOf('gpt-image-2-2026-04-21')).toEqual(pricesOf('gpt-image-2'));
    expect(pricesOf('gpt-image-2-large')).toEqual([]);
  });

  it('each name where they come from', () => {
    for (const { source } of pricesOf('gpt-image-1')) expect(source).toMatch(/^https:\/\//);
  });
});

describe('a PRICES_FILE', () => {
  it('takes the place of a model’s prices, adds models, and leaves the others', async () => {
    const table = tableOf(
      await readFile({
        'gpt-image-1': [
          version('relay-2', '2026-06-01', '4.00'),
          version('relay-1', '2026-01-01', '8'),
        ],
        'house-model': [version('house', '2026-01-01T12:00:00+02:00', '0.5')],
      }),
    );
    const at = (model: string, time: string) => table.at(model, new Date(time))?.version;
    expect(at('gpt-image-1', '2025-12-31T23:59:59Z')).toBeUndefined();
    expect(at('gpt-image-1', '2026-01-01T00:00:00Z')).toBe('relay-1');
    expect(at('gpt-image-1', '2026-05-31T23:59:59.999Z')).toBe('relay-1');
    expect(at('gpt-image-1', '2026-06-01T00:00:00Z')).toBe('relay-2');
    expect(at('house-model', '2026-01-01T09:59:59Z')).toBeUndefined();
    expect(at('house-model', '2026-01-01T10:00:00Z')).toBe('house');
    expect(at('gpt-image-2', '2026-11-28')).toBe(pricesOf('gpt-image-2').at(-1)?.version);
  });

  it('takes the place of prices in MODELS_FILE, also where they are inherited', async () => {
    const path = join(await temporaryDirectory(), 'models.json');
    const own = [version('models-file', '2026-01-01', '1')];
    await writeFile(
      path,
      JSON.stringify([
        { id: 'house-model', prices: own },
        { id: 'heir', like: 'house-model' },
        { id: 'other', prices: own },
        { id: 'gpt-image-2-2026-04-21', maxN: 2 },
      ]),
    );
    const prices = await readFile({
      'house-model': [version('prices-file', '2026-01-01', '2')],
      'gpt-image-2': [version('relay', '2026-01-01', '3')],
      'unknown-model': [version('unknown', '2026-01-01', '4')],
    });
    const models = await readKnownModels(path, prices);
    const versions = (model: string) => models.get(model).prices.map((one) => one.version);
    expect(versions('house-model')).toEqual(['prices-file']);
    expect(versions('heir')).toEqual(['prices-file']);
    expect(versions('other')).toEqual(['models-file']);
    expect(versions('gpt-image-2')).toEqual(['relay']);
    expect(versions('gpt-image-2-2026-04-21')).toEqual(['relay']);
    expect(versions('gpt-image-2-2027-01-01')).toEqual(['relay']);
    expect(versions('unknown-model-2027-01-01')).toEqual(['unknown']);
  });

  it('may say that a price is not known, by null or by leaving it out', async () => {
    const versions = await readFile({ m: [version('a', '2026-01-01', null)] });
    expect(versions['m']?.[0]?.prices).toMatchObject({ imageOutput: null, textInput: null });
  });

  it.each([
    ['is not JSON', '{'],
    [
      'has a price that is a number',
      { m: [{ ...version('a', '2026-01-01'), usdPerMillionTokens: { imageOutput: 40 } }] },
    ],
    ['has a price that is no decimal', { m: [version('a', '2026-01-01', '40 USD')] }],
    ['has a date that is none', { m: [version('a', '2026-13-01', '40')] }],
    [
      'has a kind of tokens that is none',
      { m: [{ ...version('a', '2026-01-01'), usdPerMillionTokens: { audioInput: '1' } }] },
    ],
    ['names two versions alike', { m: [version('a', '2026-01-01'), version('a', '2026-02-01')] }],
    [
      'has two versions from one day',
      { m: [version('a', '2026-01-01'), version('b', '2026-01-01')] },
    ],
    ['names no source', { m: [{ ...version('a', '2026-01-01'), source: undefined }] }],
  ])('that %s is refused, and named', async (_, content) => {
    const error = await readFile(content).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatch(/PRICES_FILE ".*prices\.json": /);
  });

  it('that is not there is refused', async () => {
    await expect(readPricesFile('/nowhere/prices.json')).rejects.toThrow(/PRICES_FILE.*ENOENT/);
  });
});
