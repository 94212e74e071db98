import { describe, expect, onTestFinished, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Rig, startRig } from '../support/service-processes.ts';
import { sendBytes } from '../support/upload-socket.ts';

describe.runIf(hasDatabase)('a service that gets SIGTERM', () => {
  test('refuses new work, finishes what runs, answers who waits for it, and exits 0', async () => {
    const rig = await startRig();
    await rig.sandbox.push({ kind: 'delay', delayMs: 2_000 });
    const waiting = rig.edit({ images: [{ id: rig.imageId }], prompt: 'waiting', wait: 60 });
    await paid(rig, 1);
    const stopped = rig.service.stop();
    await eventually(
      async () => expect(await statusOf(`${rig.service.url}/health/ready`)).not.toBe(200),
      { interval: 20 },
    );
    expect(await statusOf(`${rig.service.url}/graphql?query=%7B__typename%7D`)).not.toBe(200);
    expect((await waiting).editJob.status).toBe('SUCCEEDED');
    expect(await stopped).toBe(0);
  });

  test('answers who waits with the job as it is when the grace is over, and loses nothing', async () => {
    const rig = await startRig({ SHUTDOWN_GRACE_SECONDS: '1', MAX_CONCURRENT_EDITS: '1' });
    await rig.sandbox.push({ kind: 'hang' });
    const running = rig.edit({ images: [{ id: rig.imageId }], prompt: 'hanging', wait: 600 });
    await paid(rig, 1);
    const queued = rig.edit({ images: [{ id: rig.imageId }], prompt: 'queued', wait: 600 });
    await eventually(async () => expect(await countQueued(rig)).toBe(1));
    expect(await rig.service.stop()).toBe(0);
    const { editJob: one } = await running;
    const { editJob: other } = await queued;
    expect(other.status).toBe('QUEUED');
    await rig.restart();
    expect(await rig.final(one.id)).toMatchObject({
      status: 'OUTCOME_UNKNOWN',
      error: { code: 'ABORTED' },
    });
    expect((await rig.final(other.id)).status).toBe('SUCCEEDED');
    expect([await rig.paidFor('hanging'), await rig.paidFor('queued')]).toEqual([1, 1]);
  });

  test('is not held up by connections that are idle, silent or half through a request', async () => {
    const rig = await startRig();
    for (const begun of ['', 'GET / HT', 'POST /graphql HTTP/1.1\r\nhost: localhost\r\n\r\n']) {
      const socket = await sendBytes(rig.service.url, Buffer.from(begun));
      onTestFinished(() => void socket.destroy());
    }
    expect(await rig.service.stop()).toBe(0);
  });
});

const paid = (rig: Rig, count: number) =>
  eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(count));

async function countQueued(rig: Rig): Promise<number> {
  const { data } = await rig.query('{ editJobs { edges { node { status } } } }');
  return data.editJobs.edges.filter(
    ({ node }: { node: { status: string } }) => node.status === 'QUEUED',
  ).length;
}

/** Null: the connection was refused. */
async function statusOf(url: string): Promise<number | null> {
  try {
    return (await fetch(url, { headers: { 'apollo-require-preflight': '1' } })).status;
  } catch {
    return null;
  }
}
