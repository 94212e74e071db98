import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Rig, startRig } from '../support/service-processes.ts';
import { noisePng } from '../support/test-images.ts';

const CLIENTS = 50;
const COUNT = '{ editJobs { totalCount } }';

describe.runIf(hasDatabase)('one idempotency key, sent fifty times at once', () => {
  test('is one job paid once, and the same answer again after a SIGKILL', async () => {
    const rig = await startRig();
    const image = await noisePng(20_000);
    const first = await sendAll(rig, image);
    expect(new Set(first).size).toBe(1);
    expect(JSON.parse(first[0] ?? '').editJob.status).toBe('SUCCEEDED');
    await rig.service.kill();
    await rig.restart();
    expect(await sendAll(rig, image)).toEqual(first);
    const other = await send(rig, image, { prompt: 'another' });
    expect(other.__typename).toBe('IdempotencyConflictError');
    await expectOneJob(rig);
  });

  test('while its one POST is out is the same job after a SIGKILL, and not sent again', async () => {
    const rig = await startRig();
    const image = await noisePng(20_000);
    await rig.sandbox.push({ kind: 'hang' });
    const broken = Promise.allSettled(
      Array.from({ length: CLIENTS }, () => send(rig, image, { wait: 600 })),
    );
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
    await rig.service.kill();
    expect((await broken).map(({ status }) => status)).toEqual(Array(CLIENTS).fill('rejected'));
    await rig.restart();
    const answers = await sendAll(rig, image);
    expect(new Set(answers.map((answer) => JSON.parse(answer).editJob.id)).size).toBe(1);
    const { editJob } = JSON.parse(answers[0] ?? '');
    expect((await rig.final(editJob.id)).status).toBe('OUTCOME_UNKNOWN');
    await expectOneJob(rig);
  });
});

/**
 * Each uploads the image for itself, and again when it is told 503: so many at once may be more
 * than a busy machine takes, and for that there is the key.
 */
async function send(
  rig: Rig,
  image: Uint8Array,
  more: object = {},
): Promise<ReturnType<typeof JSON.parse>> {
  const input = { prompt: 'once', idempotencyKey: 'order-7', wait: 60, ...more };
  for (;;) {
    try {
      return await rig.editUpload(image, input);
    } catch (error) {
      if (!String(error).includes('"UNAVAILABLE"')) throw error;
    }
  }
}

/** What each was answered, without the service's port, which a restart changes. */
async function sendAll(rig: Rig, image: Uint8Array): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: CLIENTS }, () => send(rig, image)));
  return answers.map((answer) => JSON.stringify(answer).replaceAll(rig.service.url, ''));
}

async function expectOneJob(rig: Rig): Promise<void> {
  expect((await rig.query(COUNT)).data.editJobs.totalCount).toBe(1);
  expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  expect(await rig.orphans()).toBe(0);
}
