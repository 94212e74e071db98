import { describe, expect, inject, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { startS3Server } from '../support/s3-server.ts';
import { startRig } from '../support/service-processes.ts';
import { noisePng } from '../support/test-images.ts';

// Of several processes, which the embedded database does not take.
const isPostgres = hasDatabase && inject('databaseKind') === 'postgres';

describe.runIf(isPostgres)('processes that share S3 and no directory', () => {
  test('serve and run edits of each other’s images', async () => {
    const s3 = await startS3Server();
    const api = await startRig({ ...s3.env, ROLE: 'api' });
    const worker = { ROLE: 'worker', DATA_DIR: await temporaryDirectory() };
    await api.startSecond(worker);
    const { editJob } = await api.editUpload(await noisePng(2_000_000), { prompt: 'apart' });
    expect(editJob).toMatchObject({ status: 'SUCCEEDED', outputImages: [{ format: 'PNG' }] });
    const [{ url }] = editJob.outputImages;
    for (const query of ['', '?w=64']) expect((await fetch(`${url}${query}`)).status).toBe(200);
    expect(await api.paidFor('apart')).toBe(1);
    expect(await api.files('blobs')).toEqual([]);
    await api.answersRemoved();
  });

  test('never pay twice: an answer that only a dead worker could read ends as unknown', async () => {
    const s3 = await startS3Server();
    const rig = await startRig(s3.env);
    await rig.sandbox.push({ kind: 'delay', delayMs: 1_000 });
    const id = await rig.submit('apart');
    await eventually(async () => expect(await rig.paidFor('apart')).toBe(1));
    s3.fail({ kind: 'reset' });
    await rig.service.line((line) => line.includes('cannot store the state of an attempt'));
    await rig.service.kill();
    s3.fail(null);
    await rig.restart({ DATA_DIR: await temporaryDirectory() });
    expect(await rig.final(id)).toMatchObject({ status: 'OUTCOME_UNKNOWN' });
    expect(await rig.paidFor('apart')).toBe(1);
    expect(await rig.files('answers')).toHaveLength(1);
  });
});
