import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CATALOGUE } from '../../src/models/catalogue.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { costLimitOf, reservedFor, setLimit, usd } from '../support/limit-operations.ts';
import { png } from '../support/test-images.ts';

const SIZE = { width: 64, height: 48 };
const EDIT = /* GraphQL */ `
  mutation Edit($input: EditImageInput!) {
    editImage(input: $input) {
      __typename
      ... on EditImagePayload {
        editJob {
          id status size resolvedSize cost { amount } error { code message }
          reservations { measure amount settledAt exceededBy }
        }
      }
      ... on Error { message }
      ... on InvalidInputError { field }
    }
  }
`;
const MODELS = /* GraphQL */ `{
  models {
    id isDefault shutdownDate sizes qualities inputFidelities complexities
    flexibleSizes { multipleOf maxRatio maxLongEdge maxShortEdge minPixels maxPixels }
    prices { version usdPerMillionTokens { textInput imageInput imageOutput } }
    bounds { kind basis safetyFactor formula figures { quality size tokens } note raisedBy }
  }
}`;
const microUsd = (amount: string) => Math.round(Number(amount) * 1e6);

describe.runIf(hasDatabase)('models', () => {
  let app: TestApp;
  let dir: string;
  let picture: Buffer;

  beforeAll(async () => {
    picture = await png(SIZE.width, SIZE.height);
    dir = await mkdtemp(join(tmpdir(), 'retouch-models-'));
    const models = join(dir, 'models.json');
    await writeFile(
      models,
      JSON.stringify([
        { id: 'gpt-image-3', like: 'gpt-image-2' },
        {
          id: 'house-model',
          sizes: ['512x512'],
          qualities: ['high', 'ultra', 'low'],
          inputTokens: { basis: 'measured', formula: 'perImage', tokens: 100 },
          outputTokens: { basis: 'published', formula: 'perImage', tokens: 1_000 },
          prices: [
            {
              version: 'house',
              from: '2026-01-01',
              source: 'https://house.example/prices',
              usdPerMillionTokens: { textInput: '1', imageInput: '1', imageOutput: '10' },
            },
          ],
        },
      ]),
    );
    // The same prepared image for every edit: what is billed is what was asked for.
    app = await startTestApp({ MODELS_FILE: models }, { fixedOutput: { bytes: 1_000 } });
  });
  afterAll(async () => {
    await app?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const edit = async (input: object, file: Uint8Array = picture) => {
    const { data, errors } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'a red hat', ...input } },
      { 'input.images.0.file': file },
    );
    expect(errors).toBeUndefined();
    return data.editImage;
  };
  const reserved = (input: object) =>
    reservedFor(app, { images: [{ dimensions: SIZE }], prompt: 'a red hat', ...input });
  const modelOf = async (id: string) => {
    const { data, errors } = await app.query(MODELS);
    expect(errors).toBeUndefined();
    return data.models.find((model: { id: string }) => model.id === id);
  };

  test('are listed with their limits, prices, bounds and end of life', async () => {
    expect(await modelOf('gpt-image-1')).toMatchObject({
      isDefault: true,
      shutdownDate: '2026-10-23',
      inputFidelities: ['LOW', 'HIGH'],
      bounds: [
        { kind: 'IMAGE_INPUT', basis: 'PUBLISHED', formula: 'TILES', safetyFactor: 1 },
        { kind: 'OUTPUT', basis: 'PUBLISHED', formula: 'TABLE', safetyFactor: 1 },
      ],
    });
    expect(await modelOf('gpt-image-1.5')).toMatchObject({ shutdownDate: '2026-12-01' });
    expect(await modelOf('gpt-image-2')).toMatchObject({
      shutdownDate: null,
      inputFidelities: [],
      flexibleSizes: {
        multipleOf: 16,
        maxRatio: 3,
        maxLongEdge: 3_840,
        maxShortEdge: 2_880,
        minPixels: 655_360,
        maxPixels: 8_294_400,
      },
      bounds: [
        { basis: 'MEASURED', safetyFactor: 2, figures: [{ quality: null, tokens: 1_536 }] },
        { basis: 'PUBLISHED', formula: 'GRID', raisedBy: null },
      ],
    });
    expect(await modelOf('gpt-image-2.6-sunburst')).toMatchObject({
      complexities: ['LOW', 'MEDIUM', 'HIGH'],
      prices: [{ usdPerMillionTokens: { textInput: '5', imageInput: '8', imageOutput: '30' } }],
      bounds: [{ basis: 'ASSUMED' }, { basis: 'MEASURED', safetyFactor: 2, formula: null }],
    });
  });

  test('have the qualities that requests can contain, without others of a MODELS_FILE', async () => {
    expect(await modelOf('gpt-image-2.5-flare')).toMatchObject({
      qualities: ['LOW', 'MEDIUM', 'HIGH', 'XHIGH', 'MAX', 'AUTO'],
    });
    expect(await modelOf('house-model')).toMatchObject({
      sizes: ['512x512'],
      qualities: ['HIGH', 'LOW'],
      inputFidelities: null,
    });
  });

  test.each(['gpt-image-2', 'gpt-image-2.5-flare', 'gpt-image-2.6-sunburst-2026-11-04'])(
    'from gpt-image-2 on, as %s, get a small source scaled up to a size that they accept',
    async (model) => {
      const { editJob } = await edit({ model, size: 'source' }, await png(300, 300));
      expect(editJob).toMatchObject({ status: 'SUCCEEDED', resolvedSize: '816x816', error: null });
    },
  );

  test('are given any size within their limits', async () => {
    const { editJob } = await edit({ model: 'gpt-image-2', size: '2880x2880' });
    expect(editJob).toMatchObject({ status: 'SUCCEEDED', resolvedSize: '2880x2880' });
  });

  test.each([
    ['size', { model: 'gpt-image-2', size: '256x256' }],
    ['inputFidelity', { model: 'gpt-image-2', inputFidelity: 'LOW' }],
    ['inputFidelity', { model: 'gpt-image-1-mini', inputFidelity: 'HIGH' }],
    ['quality', { model: 'gpt-image-1', quality: 'XHIGH' }],
    ['complexity', { model: 'gpt-image-2.5-flare', complexity: 'LOW' }],
  ])('that do not accept %s say so before the upload is looked at', async (field, input) => {
    const { requests } = app.sandbox.stats();
    const refused = await edit(input, Buffer.from('no image'));
    expect(refused).toMatchObject({ __typename: 'InvalidInputError', field });
    expect(refused.message).toContain(input.model);
    expect(app.sandbox.stats().requests).toBe(requests);
  });

  test('get a size that they accept when an edit is tried again that had another', async () => {
    const { editJob } = await edit({ model: 'gpt-image-2', size: 'source' }, await png(300, 300));
    const id = Buffer.from(editJob.id, 'base64').toString().split(':').at(-1) ?? '';
    await app.withDatabase((prisma) =>
      prisma.editJob.update({ where: { id }, data: { resolvedSize: '288x288', status: 'FAILED' } }),
    );
    const { data } = await app.query(
      `mutation($id: ID!) { retryEdit(input: { id: $id }) {
        ... on RetryEditPayload { editJob { status resolvedSize } } ... on Error { message }
      } }`,
      { id: editJob.id },
    );
    expect(data.retryEdit.editJob).toEqual({ status: 'SUCCEEDED', resolvedSize: '816x816' });
  });

  test('of MODELS_FILE have prices and bounds, so that a limit on cost accepts their edits', async () => {
    await setLimit(app, { amount: '1', window: 'TOTAL' });
    expect(await reserved({ model: 'house-model', size: '512x512' })).toBeGreaterThan(10_200);
    const { editJob } = await edit({ model: 'house-model', size: '512x512' });
    expect(editJob).toMatchObject({ status: 'SUCCEEDED', reservations: [{ exceededBy: '0' }] });
    expect((await edit({ model: 'gpt-image-3' })).editJob.status).toBe('SUCCEEDED');
    await setLimit(app, { amount: null, window: 'TOTAL' });
  });

  test.each([...CATALOGUE.keys(), 'gpt-image-2-2026-04-21', 'gpt-image-2.6-flare-2026-11-04'])(
    'of the name %s use a limit of five dollars until less remains than the maximum cost of the next edit',
    async (model) => {
      const isFlexible = CATALOGUE.get(model)?.sizes?.kind !== 'listed';
      const quality = CATALOGUE.get(model)?.qualities?.includes('max') ? 'MAX' : 'HIGH';
      const asked = { model, size: isFlexible ? '2880x2880' : '1536x1024', quality, n: 1 };
      // Few, dear edits, so that the test is short.
      while (asked.n < 10 && Number(await reserved({ ...asked, n: asked.n + 1 })) < 2_400_000) {
        asked.n += 1;
      }
      const used = microUsd((await costLimitOf(app))?.used ?? '0');
      const { limit: before } = await setLimit(app, {
        amount: usd(used + 5_000_000),
        window: 'TOTAL',
      });
      const start = microUsd(before.used);
      const bound = Number(await reserved(asked));
      let runs = 0;
      for (;;) {
        const { remaining, settled: spent, reserved: held } = await costLimitOf(app);
        expect(microUsd(spent) - start).toBeLessThanOrEqual(5_000_000);
        expect(held).toBe('0');
        const result = await edit(asked);
        if (result.__typename === 'LimitExceededError') {
          expect(microUsd(remaining)).toBeLessThan(bound);
          expect(runs).toBeGreaterThan(1);
          break;
        }
        expect(result.editJob).toMatchObject({ status: 'SUCCEEDED', error: null });
        expect(result.editJob.reservations).toMatchObject([
          { measure: 'COST', amount: usd(bound), exceededBy: '0' },
        ]);
        runs += 1;
      }
    },
  );

  test('get their bounds raised by usage above them: shown, logged, and after a restart, too', async () => {
    const asked = { model: 'gpt-image-3', quality: 'LOW', size: '1024x1024' };
    await setLimit(app, { amount: null, window: 'TOTAL' });
    const { limit } = await setLimit(app, { amount: '100', window: 'TOTAL' });
    const before = Number(await reserved(asked));
    app.sandbox.faults.push({ kind: 'more_usage', times: 10 });
    const { editJob } = await edit(asked);
    const cost = microUsd(editJob.cost.amount);
    expect(cost).toBeGreaterThan(before);
    expect(editJob.reservations).toMatchObject([
      {
        measure: 'COST',
        amount: usd(before),
        settledAt: expect.any(String),
        exceededBy: usd(cost - before),
      },
    ]);
    const [line] = app.logged.filter((one) => one.includes('usage exceeded its bound'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      level: 'warn',
      model: 'gpt-image-3',
      kind: 'output',
      bound: 196,
      used: 2_720,
    });
    const raised = Number(await reserved(asked));
    expect(raised).toBeGreaterThanOrEqual(cost);
    // In proportion, for other parameters and names of the model, but for no other model.
    const dated = { ...asked, model: 'gpt-image-3-2027-01-01' };
    expect(await reserved(dated)).toBe(raised);
    expect(await reserved({ ...asked, n: 2 })).toBe(2 * raised);
    const other = { ...asked, model: 'gpt-image-2' };
    expect(await reserved(other)).toBe(before);
    expect((await modelOf('gpt-image-3')).bounds[1].raisedBy).toBeCloseTo((2 * 2_720) / 196);
    await app.restart();
    expect(await reserved(asked)).toBe(raised);
    // Usage within the raised bound changes nothing.
    app.sandbox.faults.push({ kind: 'more_usage', times: 10 });
    expect((await edit(asked)).editJob.reservations).toMatchObject([{ exceededBy: '0' }]);
    expect(await reserved(asked)).toBe(raised);
    // The limit shows when such an edit has used more than there was.
    const spent = microUsd((await costLimitOf(app)).settled);
    await setLimit(app, { amount: usd(spent + raised), window: 'TOTAL' });
    app.sandbox.faults.push({ kind: 'more_usage', times: 40 });
    await edit(asked);
    const after = await costLimitOf(app);
    expect(microUsd(after.exceededBy)).toBe(microUsd(after.used) - microUsd(after.amount));
    expect(microUsd(after.exceededBy)).toBeGreaterThan(0);
    expect(after.remaining).toBe('0');
    expect(limit.exceededBy).toBe('0');
  });
});
