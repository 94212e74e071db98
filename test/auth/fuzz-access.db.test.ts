import { exportSPKI, generateKeyPair } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bearer, startAccessApp } from '../support/access-app.ts';
import { hasDatabase } from '../support/database.ts';
import { createAccessFuzz } from '../support/fuzz-access.ts';
import { sendFuzzes } from '../support/send-fuzz.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_129);
const REQUESTS = 400;
const MINUTES = Number(process.env['FUZZ_MINUTES'] ?? 0);

describe.runIf(hasDatabase)('random credentials, requests and bodies', () => {
  test('cause no 5xx, return nothing foreign, and change nothing of another owner', async () => {
    const { publicKey } = await generateKeyPair('RS256', { extractable: true });
    const service = await startAccessApp({
      AUTH_JWT_ISSUER: 'https://id.example.com/',
      AUTH_JWT_AUDIENCE: 'a',
      AUTH_JWT_PUBLIC_KEY: await exportSPKI(publicKey),
    });
    onTestFinished(() => service.app.stop());
    const [ann, bob] = [await service.createKey(), await service.createKey({ ownerId: 'bob' })];
    const { job } = await service.edit(bearer(ann.key), 'only ann may read this');
    const imageId = job.inputImages[0].id;
    const fuzz = await createAccessFuzz({ seed: SEED, imageId, jobId: job.id, key: bob.key });
    let left = REQUESTS;
    const endMs = performance.now() + MINUTES * 60_000;
    const statuses: Record<number, number> = {};
    const next = () => (left-- > 0 || performance.now() < endMs ? fuzz() : null);
    const wrong = await sendFuzzes(service.app.url, next, 4, {
      // The ids are in the requests; these are not.
      foreign: ['only ann may read this', job.outputImages[0].id, job.prompt.id],
      onStatus(status) {
        statuses[status] = (statuses[status] ?? 0) + 1;
      },
    });
    if (MINUTES > 0) process.stdout.write(`answers by status: ${JSON.stringify(statuses)}\n`);
    expect(wrong).toEqual([]);
    const { data } = await service.query(
      bearer(ann.key),
      'query ($id: ID!) { editJobs { totalCount } editJob(id: $id) { status prompt { text } } }',
      { id: job.id },
    );
    expect(data).toEqual({
      editJobs: { totalCount: 1 },
      editJob: { status: 'SUCCEEDED', prompt: { text: 'only ann may read this' } },
    });
  });
});
