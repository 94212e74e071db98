import { stat, writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { breakBlobs } from '../support/break-blobs.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startRig } from '../support/service-processes.ts';
import { connectTo } from '../support/sql-client.ts';
import { noisePng } from '../support/test-images.ts';
import { sendBytes, uploadRequest } from '../support/upload-socket.ts';
import { createStageTable } from './stage-table.ts';

const kind = inject('databaseKind');
const table = createStageTable(kind);
afterAll(() => table.print());

describe.runIf(hasDatabase)('a process killed with SIGKILL', () => {
  test('while an upload is half read leaves no file and no job', async () => {
    const rig = await startRig();
    const request = uploadRequest(rig.service.url, await noisePng(2_000_000));
    const socket = await sendBytes(rig.service.url, request.subarray(0, request.length / 2));
    await eventually(async () => expect(await rig.files('staging')).not.toEqual([]));
    await rig.service.kill();
    socket.destroy();
    await rig.restart();
    const { data } = await rig.query('{ editJobs { totalCount } }');
    expect(data.editJobs.totalCount).toBe(0);
    await table.add(rig, 'upload half read', [], { paid: 0 });
  });

  test('before a committed job was claimed has it run at the next start', async () => {
    const rig = await startRig({ MAX_CONCURRENT_EDITS: '1' });
    await rig.sandbox.push({ kind: 'hang' });
    const sent = await rig.submit('hanging');
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
    const committed = await rig.submit('waiting');
    await rig.service.kill();
    await rig.restart();
    expect(await rig.final(committed)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await rig.final(sent)).toMatchObject({
      status: 'OUTCOME_UNKNOWN',
      error: { code: 'ABORTED', retryable: false },
      attempts: [{ number: 1, state: 'UNKNOWN' }],
    });
    expect(await rig.paidFor('waiting')).toBe(1);
    expect(await rig.paidFor('hanging')).toBe(1);
    await rig.answersRemoved();
    await table.add(rig, 'job just committed', [committed], { paid: 1 });
    await table.add(rig, 'attempt sent, upstream hanging', [sent], { paid: 1 });
  });

  test('while an answer is half read ends it as unknown and keeps what came', async () => {
    const rig = await startRig();
    await rig.sandbox.push({ kind: 'slow', bytesPerSecond: 8_000 });
    const id = await rig.submit('half read');
    await eventually(async () => {
      const [answer = ''] = await rig.files('answers');
      expect((await stat(answer)).size).toBeGreaterThan(1_000);
    });
    await rig.service.kill();
    await rig.restart();
    expect(await rig.final(id)).toMatchObject({ status: 'OUTCOME_UNKNOWN', usage: null });
    expect(await rig.paidFor('half read')).toBe(1);
    expect(await rig.files('answers')).toEqual([]);
    const stored = (await rig.files('blobs')).filter((path) => path.includes('/answers/'));
    expect(stored).toHaveLength(1);
    const { data } = await rig.query(
      `{ node(id: "${id}") { ... on EditJob { hasStoredAnswer } } }`,
    );
    expect(data.node).toEqual({ hasStoredAnswer: true });
    await table.add(rig, 'answer half read', [id], { paid: 1 });
  });

  test('with a rate limit or an overload saved sends the edit again, and with a rejection does not', async () => {
    const rig = await startRig();
    const said = (status: number, code: string) =>
      `HTTP/1.1 ${status}\r\n\r\n${JSON.stringify({ error: { message: 'No.', type: 'x', code } })}`;
    const cases = [
      [said(429, 'rate_limit_exceeded'), 'SUCCEEDED', ['FAILED', 'SUCCEEDED']],
      [said(503, 'overloaded'), 'SUCCEEDED', ['FAILED', 'SUCCEEDED']],
      [said(400, 'moderation_blocked'), 'FAILED', ['FAILED']],
    ] as const;
    for (const [saved, status, states] of cases) {
      await rig.sandbox.push({ kind: 'hang' });
      const id = await rig.submit(saved);
      await eventually(async () => expect(await rig.paidFor(saved)).toBe(1));
      await rig.service.kill();
      const [answer = ''] = await rig.files('answers');
      await writeFile(answer, saved);
      await rig.restart();
      const job = await rig.final(id);
      expect(job).toMatchObject({ status });
      expect(job.attempts.map(({ state }: { state: string }) => state)).toEqual(states);
      await rig.answersRemoved();
    }
  });

  test('with an answer saved whose images were not stored finishes from it', async () => {
    const rig = await startRig();
    await rig.sandbox.push({ kind: 'delay', delayMs: 1_000 });
    const id = await rig.submit('not stored');
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
    const mend = await breakBlobs(rig.database.dir);
    await rig.service.line((line) => line.includes('cannot store the state of an attempt'));
    await rig.service.kill();
    await mend();
    await rig.restart();
    expect(await rig.final(id)).toMatchObject({
      status: 'SUCCEEDED',
      outputImages: [{ format: 'PNG' }],
    });
    expect(await rig.paidFor('not stored')).toBe(1);
    await rig.answersRemoved();
    await table.add(rig, 'answer saved, images not stored', [id], { paid: 1 });
  });

  test.runIf(kind === 'postgres')(
    'inside the transaction that stores a success finishes from the saved answer',
    async () => {
      const rig = await startRig();
      const holder = await connectTo(rig.env['DATABASE_URL']);
      onTestFinished(() => holder.end());
      await holder.query('BEGIN; LOCK TABLE "TokenUsage" IN SHARE MODE');
      const id = await rig.submit('locked');
      await eventually(async () => {
        const { rows } = await holder.query(
          `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = '"TokenUsage"'::regclass`,
        );
        expect(rows).not.toEqual([]);
      });
      await rig.service.kill();
      await holder.query('ROLLBACK');
      await rig.restart();
      expect(await rig.final(id)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await rig.paidFor('locked')).toBe(1);
      await table.add(rig, 'inside the success transaction', [id], { paid: 1 });
    },
  );

  test('at any moment of finishing loses no answer', async () => {
    const rig = await startRig();
    const ids: string[] = [];
    for (const delayMs of [0, 4, 8, 16, 32, 64]) {
      const prompt = `finishing ${delayMs}`;
      ids.push(await rig.submit(prompt));
      await eventually(async () => expect(await rig.paidFor(prompt)).toBe(1), { interval: 2 });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await rig.service.kill();
      await rig.restart();
    }
    for (const id of ids) {
      expect((await rig.final(id)).status).toMatch(/^(SUCCEEDED|OUTCOME_UNKNOWN)$/);
    }
    await table.add(rig, 'while finishing, 6 times', ids, { paid: 6 });
  });
});
