import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { breakBlobs } from '../support/break-blobs.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Rig, startRig } from '../support/service-processes.ts';
import { SSE } from '../support/subscriptions.ts';
import { noisePng } from '../support/test-images.ts';
import { sendSlowly, uploadRequest } from '../support/upload-socket.ts';

const API = { ROLE: 'api' };
const WORKER = { ROLE: 'worker' };

const paid = (rig: Rig, count: number) =>
  eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(count));

describe.runIf(hasDatabase && inject('databaseKind') === 'postgres')(
  'when a process with a role ends',
  () => {
    test('by SIGKILL as a worker, another worker ends its edit as unknown and goes on', async () => {
      const rig = await startRig({ ...API, MAX_CONCURRENT_EDITS: '1' });
      const worker = await rig.startSecond(WORKER);
      await rig.sandbox.push({ kind: 'hang' });
      const sent = await rig.submit('sent');
      await paid(rig, 1);
      const queued = await rig.submit('queued');
      await worker.kill();
      await rig.startSecond(WORKER);
      expect(await rig.final(queued)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await rig.final(sent)).toMatchObject({
        status: 'OUTCOME_UNKNOWN',
        attempts: [{ state: 'UNKNOWN' }],
      });
      expect(await rig.sandbox.stats()).toMatchObject({ requests: 2, paid: 2 });
    });

    test('by SIGKILL as a worker, another worker finishes from the answer that it had saved', async () => {
      const rig = await startRig(API);
      const worker = await rig.startSecond(WORKER);
      await rig.sandbox.push({ kind: 'delay', delayMs: 1_000 });
      const id = await rig.submit('not stored');
      await paid(rig, 1);
      const mend = await breakBlobs(rig.database.dir);
      await worker.line((line) => line.includes('cannot store the state of an attempt'));
      await worker.kill();
      await mend();
      await rig.startSecond(WORKER);
      expect(await rig.final(id)).toMatchObject({
        status: 'SUCCEEDED',
        outputImages: [{ format: 'PNG' }],
      });
      expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
      await rig.answersRemoved();
    });

    test('by SIGKILL as an API, what it was receiving goes, and what another receives stays', async () => {
      const rig = await startRig(API);
      const other = await rig.startSecond(API);
      await rig.startSecond(WORKER);
      const image = await noisePng(2_000_000);
      const begin = async (url: string) => {
        const slow = await sendSlowly(url, uploadRequest(url, image));
        onTestFinished(() => slow.stop());
        return slow.finish;
      };
      const finish = await begin(other.url);
      const [kept] = await eventually(async () => {
        const files = await rig.files('staging');
        expect(files).toHaveLength(1);
        return files;
      });
      await begin(rig.service.url);
      await eventually(async () => expect(await rig.files('staging')).toHaveLength(2));
      await rig.service.kill();
      await eventually(async () => expect(await rig.files('staging')).toEqual([kept]));
      finish();
      await eventually(async () => {
        const { data } = await other.query('{ editJobs { edges { node { status } } } }');
        expect(data.editJobs.edges).toEqual([{ node: { status: 'SUCCEEDED' } }]);
      });
    });

    test('by SIGTERM as a worker, it finishes what runs and leaves the rest to others', async () => {
      const rig = await startRig({ ...API, MAX_CONCURRENT_EDITS: '1' });
      const worker = await rig.startSecond(WORKER);
      await rig.sandbox.push({ kind: 'delay', delayMs: 2_000 });
      const running = await rig.submit('running');
      await paid(rig, 1);
      const queued = await rig.submit('queued');
      expect(await worker.stop()).toBe(0);
      expect(await rig.job(running)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await rig.job(queued)).toMatchObject({ status: 'QUEUED' });
      await rig.startSecond(WORKER);
      expect(await rig.final(queued)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await rig.sandbox.stats()).toMatchObject({ requests: 2, paid: 2 });
    });

    test('by SIGTERM as an API, who waits there is answered when the worker is done', async () => {
      const rig = await startRig({ ...API, SHUTDOWN_GRACE_SECONDS: '30' });
      await rig.startSecond(WORKER);
      await rig.sandbox.push({ kind: 'delay', delayMs: 2_000 });
      const waiting = rig.edit({ images: [{ id: rig.imageId }], prompt: 'waiting', wait: 60 });
      await paid(rig, 1);
      const exited = rig.service.stop();
      expect((await waiting).editJob.status).toBe('SUCCEEDED');
      expect(await exited).toBe(0);
    });

    test('by SIGTERM as an API, its grace over, who waits gets the job as it is, and it goes on', async () => {
      const rig = await startRig({ ...API, SHUTDOWN_GRACE_SECONDS: '1' });
      const other = await rig.startSecond(API);
      await rig.startSecond(WORKER);
      await rig.sandbox.push({ kind: 'delay', delayMs: 8_000 });
      const waiting = rig.edit({ images: [{ id: rig.imageId }], prompt: 'waiting', wait: 60 });
      await paid(rig, 1);
      const watched = SSE.subscribe(rig.service.url, 'subscription { editJobs { __typename } }');
      await watched.next();
      const exited = rig.service.stop();
      const { editJob } = await waiting;
      expect(editJob.status).toBe('RUNNING');
      // Its connection is lost, not completed: a client with retries subscribes to another process.
      await expect(Array.fromAsync(watched)).rejects.toThrow('terminated');
      expect(await exited).toBe(0);
      await eventually(async () => expect((await other.job(editJob.id)).status).toBe('SUCCEEDED'));
    });
  },
);
