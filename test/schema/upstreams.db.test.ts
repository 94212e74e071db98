import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const UPSTREAMS = '{ upstreams { name models state pausedUntil reason } }';

describe.runIf(hasDatabase)('several edits APIs', () => {
  let first: Sandbox;
  let second: Sandbox;
  let app: TestApp;

  beforeEach(async () => {
    first = createSandbox({ delayMs: 0 });
    second = createSandbox({ delayMs: 0 });
    const urls = [(await first.start()).url, (await second.start()).url];
    const file = join(await temporaryDirectory(), 'upstreams.json');
    const entries = [
      { name: 'first', url: urls[0], key: 'k1', priority: 0, firstHand: false },
      { name: 'second', url: urls[1], key: 'k2', priority: 1, models: ['gpt-image-1', 'other'] },
    ];
    await writeFile(file, JSON.stringify(entries));
    app = await startTestApp({
      EDITS_API_URL: '',
      EDITS_API_KEY: '',
      EDITS_API_FILE: file,
      MAX_EDIT_ATTEMPTS: '3',
    });
  });
  afterEach(async () => {
    await app.stop();
    await first.stop();
    await second.stop();
  });

  async function edit(input: object = {}) {
    const picture = { 'input.images.0.file': await png() };
    const all = { images: [{ file: null }], prompt: 'p', ...input };
    const { data } = await app.upload(EDIT, { input: all }, picture);
    return data.editImage.editJob;
  }
  const requests = () => [first.stats().requests, second.stats().requests];

  test('are asked by priority, among those that serve the model', async () => {
    expect(await edit()).toMatchObject({ status: 'SUCCEEDED', upstream: 'first' });
    expect((await edit({ model: 'brand-new' })).status).toBe('SUCCEEDED');
    expect(requests()).toEqual([2, 0]);
  });

  test('fail over at once where the first has surely not processed the edit', async () => {
    first.faults.push({ kind: 'rate_limit', retryAfter: null });
    const job = await edit();
    expect(job).toMatchObject({ status: 'SUCCEEDED', upstream: 'second' });
    expect(job.attempts).toMatchObject([
      { state: 'FAILED', upstream: 'first', httpStatus: 429 },
      { state: 'SUCCEEDED', upstream: 'second', httpStatus: 200 },
    ]);
    expect(requests()).toEqual([1, 1]);
  });

  test('never fail over where the edit may have been paid', async () => {
    first.faults.push({ kind: 'reset' });
    expect((await edit()).status).toBe('OUTCOME_UNKNOWN');
    expect(requests()).toEqual([1, 0]);
  });

  test('never fail over after a 500 of a relay, whatever it says', async () => {
    first.faults.push({ kind: 'status', status: 500, body: 'json' });
    expect(await edit()).toMatchObject({ status: 'OUTCOME_UNKNOWN', upstream: 'first' });
    expect(requests()).toEqual([1, 0]);
  });

  test('leave one alone whose account has no credit, until it is resumed', async () => {
    first.faults.push({ kind: 'quota' });
    expect(await edit()).toMatchObject({
      status: 'FAILED',
      error: { code: 'INSUFFICIENT_QUOTA' },
    });
    const { data } = await app.query(UPSTREAMS);
    expect(data.upstreams).toMatchObject([
      { name: 'first', models: null, state: 'PAUSED', reason: expect.any(String) },
      { name: 'second', models: ['gpt-image-1', 'other'], state: 'READY', pausedUntil: null },
    ]);
    expect((await edit()).status).toBe('SUCCEEDED');
    expect(requests()).toEqual([1, 1]);

    await app.query('mutation { resumeUpstream(input: { name: "first" }) { __typename } }');
    expect((await edit()).status).toBe('SUCCEEDED');
    expect(requests()).toEqual([2, 1]);
  });
});
