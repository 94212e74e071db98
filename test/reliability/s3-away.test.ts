import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type S3Fault, startS3Server } from '../support/s3-server.ts';
import { type Rig, startRig } from '../support/service-processes.ts';
import { png } from '../support/test-images.ts';

const NOT_STORED = 'cannot store the state of an attempt';
const SUCCEEDED = { status: 'SUCCEEDED', outputImages: [{ format: 'PNG' }] };

async function startOnS3(env: Record<string, string> = {}) {
  const s3 = await startS3Server();
  const rig = await startRig({ ...s3.env, ...env });
  return { s3, rig };
}

/** An edit that has been paid, and whose answer S3 does not take. */
async function payThenFail(rig: Rig, fail: () => void): Promise<string> {
  await rig.sandbox.push({ kind: 'delay', delayMs: 1_000 });
  const id = await rig.submit('paid for');
  await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
  fail();
  await rig.service.line((line) => line.includes(NOT_STORED));
  return id;
}

describe.runIf(hasDatabase)('S3 that fails', () => {
  test.each<S3Fault>([{ kind: 'reset' }, { kind: 'busy' }, { kind: 'hang' }])(
    'after payment ($kind) keeps the answer, and stores it when S3 is back',
    async (fault) => {
      const { s3, rig } = await startOnS3();
      const id = await payThenFail(rig, () => s3.fail(fault));
      expect((await rig.job(id)).status).toBe('RUNNING');
      expect(await rig.files('answers')).toHaveLength(1);
      s3.fail(null);
      const job = await rig.final(id);
      expect(job).toMatchObject(SUCCEEDED);
      expect((await fetch(job.outputImages[0].url)).status).toBe(200);
      expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
      await rig.answersRemoved();
      expect(await rig.orphans()).toBe(0);
    },
  );

  test('after payment and over a SIGKILL and a start without S3 is stored when it is back', async () => {
    const { s3, rig } = await startOnS3();
    const id = await payThenFail(rig, () => s3.fail({ kind: 'reset' }));
    await rig.service.kill();
    await rig.restart();
    await rig.service.line((line) =>
      line.includes('could not recover an attempt; the next run tries again'),
    );
    expect((await rig.job(id)).status).toBe('RUNNING');
    expect((await fetch(`${rig.service.url}/health/ready`)).status).toBe(503);
    s3.fail(null);
    expect(await rig.final(id)).toMatchObject(SUCCEEDED);
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
    await rig.answersRemoved();
    expect(await rig.orphans()).toBe(0);
  });

  test('after payment and over a SIGTERM is stored at the next start', async () => {
    const { s3, rig } = await startOnS3({ SHUTDOWN_GRACE_SECONDS: '1' });
    const id = await payThenFail(rig, () => s3.fail({ kind: 'reset' }));
    expect(await rig.service.stop()).toBe(0);
    s3.fail(null);
    await rig.restart();
    expect(await rig.final(id)).toMatchObject(SUCCEEDED);
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  test('has edits wait unsent, visibly, until it is back', async () => {
    const { s3, rig } = await startOnS3();
    s3.fail({ kind: 'busy' });
    const id = await rig.submit('not to be kept');
    await eventually(async () => {
      const { data } = await rig.query(
        'query($id: ID!) { editJob(id: $id) { status nextAttemptAt } }',
        { id },
      );
      expect(data.editJob).toMatchObject({ status: 'QUEUED', nextAttemptAt: expect.any(String) });
    });
    expect((await rig.sandbox.stats()).requests).toBe(0);
    s3.fail(null);
    expect(await rig.final(id)).toMatchObject(SUCCEEDED);
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });

  test('in the middle of a request leaves it without its end, unpaid, and has it sent again', async () => {
    const { s3, rig } = await startOnS3();
    const large = await rig.uploadImage(await png(1_500, 1_500));
    s3.fail({ kind: 'cut', only: /^GET .*[\da-f]{64}\?/, times: 1 });
    const id = await rig.submit('cut', { images: [{ id: large }] });
    expect(await rig.final(id)).toMatchObject({
      ...SUCCEEDED,
      attempts: [{ state: 'FAILED' }, { state: 'SUCCEEDED' }],
    });
    expect((await rig.sandbox.stats()).paid).toBe(1);
  });
});
