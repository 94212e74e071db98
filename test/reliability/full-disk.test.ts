import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startRig } from '../support/service-processes.ts';
import { noisePng, png } from '../support/test-images.ts';

const run = promisify(execFile);
const MiB = 1024 * 1024;
/** Of an answer's image. Its raw answer, in base64, is a third larger. */
const PICTURE_BYTES = 3 * MiB;

/** A disk of its own that can be filled; null where this user may not make one. */
async function mountSmallDisk(bytes: number): Promise<string | null> {
  const dir = await mkdtemp(join(tmpdir(), 'retouch-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir]);
  } catch {
    await rm(dir, { recursive: true });
    return null;
  }
  onTestFinished(async () => {
    await run('umount', ['--lazy', dir]);
    await rm(dir, { recursive: true });
  });
  return dir;
}

/** Leaves so many bytes; answers the function that gives the room back. */
async function fill(dir: string, freeBytes: number): Promise<() => Promise<void>> {
  const ballast = join(dir, 'ballast');
  const { bavail, bsize } = await statfs(dir);
  await writeFile(ballast, Buffer.alloc(bavail * bsize - freeBytes));
  return () => rm(ballast);
}

describe.runIf(hasDatabase)('a disk with less room than MIN_FREE_DISK_BYTES', () => {
  test('has edits wait, visibly and unpaid, until there is room', async () => {
    const rig = await startRig({ MIN_FREE_DISK_BYTES: String(Number.MAX_SAFE_INTEGER) });
    const id = await rig.submit('no room');
    await eventually(async () => {
      const { data } = await rig.query(
        'query($id: ID!) { editJob(id: $id) { status nextAttemptAt } }',
        { id },
      );
      expect(data.editJob).toMatchObject({ status: 'QUEUED', nextAttemptAt: expect.any(String) });
    });
    expect((await rig.sandbox.stats()).requests).toBe(0);
    await rig.service.stop();
    await rig.restart({ MIN_FREE_DISK_BYTES: '0' });
    expect((await rig.final(id)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });
});

// The embedded database lies on that disk too, and has no room of its own to write to.
describe.runIf(hasDatabase && inject('databaseKind') === 'postgres')('a full disk', () => {
  async function startOnSmallDisk() {
    const dir = await mountSmallDisk(24 * MiB);
    if (dir === null) return null;
    const database = await createTestDatabase();
    const given = { dir, env: { ...database.env, DATA_DIR: dir }, drop: database.drop };
    const rig = await startRig(
      { MIN_FREE_DISK_BYTES: '0' },
      { fixedOutputBytes: PICTURE_BYTES },
      given,
    );
    return { rig, dir };
  }

  test('after payment keeps the answer, and stores it when there is room', async ({ skip }) => {
    const started = await startOnSmallDisk();
    if (started === null) return skip('only root can mount a small disk');
    const { rig, dir } = started;
    await rig.sandbox.push({ kind: 'delay', delayMs: 1_500 });
    const id = await rig.submit('paid for');
    await eventually(async () => expect((await rig.sandbox.stats()).paid).toBe(1));
    // Room for the raw answer, and for half of its image.
    const empty = await fill(dir, Math.round(PICTURE_BYTES * (4 / 3 + 1 / 2)));
    await rig.service.line((line) => line.includes('cannot store the state of an attempt'));
    expect((await rig.job(id)).status).toBe('RUNNING');
    await empty();
    expect(await rig.final(id)).toMatchObject({
      status: 'SUCCEEDED',
      outputImages: [{ format: 'PNG' }],
    });
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
    await rig.answersRemoved();
    expect(await rig.orphans()).toBe(0);
  });

  test('during an upload is told with 503, and leaves nothing of it', async ({ skip }) => {
    const started = await startOnSmallDisk();
    if (started === null) return skip('only root can mount a small disk');
    const { rig, dir } = started;
    const empty = await fill(dir, MiB / 2);
    const form = new FormData();
    const query =
      'mutation($f: Upload!) { uploadImage(input: { file: $f }) { ... on UploadImagePayload { image { id } } } }';
    form.set('operations', JSON.stringify({ query, variables: { f: null } }));
    form.set('map', JSON.stringify({ 0: ['variables.f'] }));
    form.set('0', new Blob([new Uint8Array(await noisePng(2 * MiB))]), 'picture');
    const response = await fetch(`${rig.service.url}/graphql`, {
      method: 'POST',
      headers: { 'apollo-require-preflight': 'true' },
      body: form,
    });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await response.json()).errors[0].extensions.code).toBe('STORAGE_UNAVAILABLE');
    expect(await rig.orphans()).toBe(0);
    await empty();
    expect(await rig.uploadImage(await png())).toEqual(expect.any(String));
  });
});
