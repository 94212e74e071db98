import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createRequestFuzz } from '../support/fuzz-requests.ts';
import { EDIT } from '../support/operations.ts';
import { sendFuzzes } from '../support/send-fuzz.ts';
import { png } from '../support/test-images.ts';

const SEED = 20_261_128;
const REQUESTS = 250;

describe.runIf(hasDatabase)('random wrong requests', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());

  const edit = async () => {
    const input = { images: [{ file: null }], prompt: 'a hat', wait: 60 };
    const { data } = await app.upload(
      EDIT,
      { input },
      { 'input.images.0.file': await png(64, 64) },
    );
    return data.editImage.editJob;
  };

  test('get no 5xx, leave no file, and an edit with an upload succeeds after them', async () => {
    const { id, inputImages } = await edit();
    const fuzz = await createRequestFuzz({
      seed: SEED,
      imageId: inputImages[0].id,
      jobId: id,
    });
    let left = REQUESTS;
    const next = () => (left-- > 0 ? fuzz() : null);
    expect(await sendFuzzes(app.url, next, 4)).toEqual([]);
    expect(await edit()).toMatchObject({ status: 'SUCCEEDED' });
    await eventually(async () => expect(await readdir(join(app.dir, 'staging'))).toEqual([]));
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
