import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { EDIT } from '../support/operations.ts';
import { JOB_TABLE } from '../support/sql-client.ts';
import { png } from '../support/test-images.ts';

const STATUS = 'query($id: ID!) { editJob(id: $id) { status nextAttemptAt } }';
const CANCEL = 'mutation($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }';

describe.runIf(hasDatabase)('an edits API with fewer places than there are edits', () => {
  let upstream: Sandbox;
  let app: TestApp;

  beforeEach(async () => {
    upstream = createSandbox({ delayMs: 0 });
    const { url } = await upstream.start();
    const file = join(await temporaryDirectory(), 'upstreams.json');
    await writeFile(file, JSON.stringify([{ name: 'one', url, key: 'k', concurrency: 1 }]));
    app = await startTestApp({ EDITS_API_URL: '', EDITS_API_KEY: '', EDITS_API_FILE: file });
  });
  afterEach(async () => {
    await app.stop();
    await upstream.stop();
  });

  async function edit(prompt: string): Promise<string> {
    const { data } = await app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt, wait: 0 } },
      { 'input.images.0.file': await png() },
    );
    return data.editImage.editJob.id;
  }
  const job = async (id: string) => (await app.query(STATUS, { id })).data.editJob;

  test('gets them in line: none loses its turn while all places are taken', async () => {
    upstream.faults.push({ kind: 'hang' });
    const inTheWay = await edit('in the way');
    await eventually(() => expect(upstream.stats().requests).toBe(1));
    const waiting = [await edit('a'), await edit('b'), await edit('c')];
    for (const id of waiting) {
      expect(await job(id)).toEqual({ status: 'QUEUED', nextAttemptAt: null });
    }
    await app.query(CANCEL, { id: inTheWay });
    for (const id of waiting) {
      await eventually(async () => expect((await job(id)).status).toBe('SUCCEEDED'));
    }
    const sent = upstream
      .stats()
      .lastRequests.map(({ fields }) => fields.find(([name]) => name === 'prompt')?.[1]);
    expect(sent).toEqual(['in the way', 'a', 'b', 'c']);
    const entries = await app.withDatabase(
      (prisma) => prisma.$queryRaw`SELECT count(*)::int FROM ${JOB_TABLE} WHERE name = 'run-edit'`,
    );
    expect(entries).toEqual([{ count: 4 }]);
  });
});
