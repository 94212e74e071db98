import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Rig, startRig } from '../support/service-processes.ts';
import { noisePng } from '../support/test-images.ts';
import { sendBytes, sendSlowly, uploadRequest } from '../support/upload-socket.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

describe.runIf(hasDatabase)('what a dead process left', () => {
  test('in staging, and answers of more than 30 days, are gone after the next start; nothing else is', async () => {
    const rig = await startRig();
    const id = await rig.submit('kept');
    await rig.final(id);
    await rig.answersRemoved();
    const blobs = await rig.files('blobs');
    expect(blobs).not.toEqual([]);
    await rig.service.kill();
    await put(rig, 'staging/01a2dead-0000-7000-8000-000000000000.file', 0);
    await put(rig, 'staging/of-an-older-release', 2 * DAY_MS);
    const young = await put(rig, 'answers/young', 29 * DAY_MS);
    await put(rig, 'answers/old', 31 * DAY_MS);
    await rig.restart();
    expect(await rig.orphans()).toBe(0);
    expect(await rig.files('answers')).toEqual([young]);
    expect(await rig.files('blobs')).toEqual(expect.arrayContaining(blobs));
  });

  test.runIf(inject('databaseKind') === 'postgres')(
    'is removed by those that live, and nothing that one of them is receiving',
    async () => {
      const rig = await startRig();
      const request = uploadRequest(rig.service.url, await noisePng(2_000_000));
      const slow = await sendSlowly(rig.service.url, request);
      onTestFinished(() => slow.stop());
      const [ofTheLiving] = await staged(rig, 1);
      const dying = await rig.startSecond();
      const cut = uploadRequest(dying.url, await noisePng(2_000_000));
      const socket = await sendBytes(dying.url, cut.subarray(0, cut.length / 2));
      await staged(rig, 2);
      // Its first look is at its start, while the dying one lives.
      const third = await rig.startSecond();
      await dying.kill();
      socket.destroy();
      await Promise.race(
        [rig.service, third].map((one) =>
          one.line((line) => line.includes('removed files that crashed processes were receiving')),
        ),
      );
      expect(await rig.files('staging')).toEqual([ofTheLiving]);
      let answer = '';
      slow.socket.on('data', (chunk) => {
        answer += chunk;
      });
      slow.finish();
      await eventually(() => expect(answer).toContain('"status":"QUEUED"'));
      slow.stop();
      expect(await rig.orphans()).toBe(0);
    },
  );
});

/** A file of DATA_DIR that was last written so long ago; answers its path. */
async function put(rig: Rig, path: string, ageMs: number): Promise<string> {
  const file = join(rig.database.dir, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, basename(file));
  const at = new Date(Date.now() - ageMs);
  await utimes(file, at, at);
  return file;
}

/** Waits until so many files are being received. */
const staged = (rig: Rig, count: number) =>
  eventually(async () => {
    const files = await rig.files('staging');
    expect(files).toHaveLength(count);
    return files;
  });
