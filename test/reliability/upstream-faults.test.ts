import { stat } from 'node:fs/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { FaultInput } from '../../src/sandbox/faults.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const TIMEOUT_SECONDS = 2;

const page = (status: number): FaultInput => ({ kind: 'status', status, body: 'html' });

describe.runIf(hasDatabase)('an edits API that', () => {
  let app: TestApp;
  afterEach(() => app.stop());

  async function editWith(fault: FaultInput, env: Record<string, string> = {}) {
    app = await startTestApp({ MAX_EDIT_ATTEMPTS: '3', ...env });
    app.sandbox.faults.push(fault);
    const variables = { input: { images: [{ file: null }], prompt: 'p' } };
    const { data } = await app.upload(EDIT, variables, { 'input.images.0.file': await png() });
    return data.editImage.editJob;
  }
  const answerBytes = async () => {
    const files = await filesIn(`${app.dir}/blobs/answers`);
    const stats = await Promise.all(files.map((file) => stat(file)));
    return stats.reduce((sum, { size }) => sum + size, 0);
  };

  test.each<[string, FaultInput]>([
    ['never answers', { kind: 'hang' }],
    ['answers one byte a second', { kind: 'slow', bytesPerSecond: 1 }],
  ])('%s is given up at the deadline, its outcome unknown', async (_, fault) => {
    const job = await editWith(fault, { EDIT_TIMEOUT_SECONDS: String(TIMEOUT_SECONDS) });
    expect(job).toMatchObject({ status: 'OUTCOME_UNKNOWN', error: { code: 'TIMEOUT' } });
    // Its own deadline: the edits API would take minutes.
    const [{ sentAt, finishedAt }] = job.attempts;
    const tookMs = Date.parse(finishedAt) - Date.parse(sentAt);
    expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_SECONDS * 1_000);
    expect(app.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  test.each<[string, string, FaultInput]>([
    ['resets the connection after the body', 'CONNECTION_LOST', { kind: 'reset' }],
    ['stands behind a proxy that answers 502', 'SERVER_ERROR', page(502)],
    ['stands behind a proxy that answers 504', 'SERVER_ERROR', page(504)],
    ['stands behind a proxy that answers 524', 'SERVER_ERROR', page(524)],
  ])('%s is asked once: the outcome is unknown', async (_, code, fault) => {
    expect(await editWith(fault)).toMatchObject({ status: 'OUTCOME_UNKNOWN', error: { code } });
    expect(app.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
    expect(await filesIn(`${app.dir}/staging`)).toEqual([]);
  });

  test.each<[string, FaultInput]>([
    ['is cut', { kind: 'truncate' }],
    ['is a web page', { kind: 'html' }],
    ['is not JSON', { kind: 'not_json' }],
    ['has no images', { kind: 'empty_data' }],
    ['has bad base64', { kind: 'bad_base64' }],
    ['has a text for an image', { kind: 'not_an_image' }],
    ['has 50 MB of padding', { kind: 'huge', bytes: 50 * 1024 * 1024 }],
  ])('answers 200 with what %s is paid once, and its answer kept for a look', async (_, fault) => {
    const job = await editWith(fault);
    expect(job).toMatchObject({ status: 'OUTCOME_UNKNOWN', error: { code: 'BROKEN_ANSWER' } });
    expect(app.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
    const least = fault.kind === 'huge' ? 50 * 1024 * 1024 : 1;
    expect(await answerBytes()).toBeGreaterThanOrEqual(least);
    expect(await filesIn(`${app.dir}/staging`)).toEqual([]);
  });

  test('answers with a redirect is not followed', async () => {
    const job = await editWith({ kind: 'redirect' });
    expect(job).toMatchObject({ status: 'FAILED', error: { code: 'BAD_REQUEST' } });
    expect(app.sandbox.stats().requests).toBe(1);
  });
});
