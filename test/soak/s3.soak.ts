import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { peakRssBytesDuring, rssBytesOf, untilIdle } from '../support/process-stats.ts';
import { startS3Server } from '../support/s3-server.ts';
import { startRig } from '../support/service-processes.ts';
import { noisePng } from '../support/test-images.ts';
import { report, showMb, toMb } from './figures.ts';
import { sendEdit } from './send-edit.ts';

const IMAGE_BYTES = 25_000_000;
const AT_ONCE = 16;
const WARM_UPS = 4;
/** By the guarantee for uploads, over warm idle. */
const MAX_GROWTH_MB = 150;

describe.runIf(hasDatabase)('images of 25 MB in S3', () => {
  test('go in, to the edits API and out again with flat memory', async () => {
    const s3 = await startS3Server();
    const rig = await startRig(s3.env, { fixedOutputBytes: 2_000_000 });
    const { pid = 0 } = rig.service.child;
    const png = await noisePng(IMAGE_BYTES);
    const urls: string[] = [];
    async function send() {
      const { status, body } = await sendEdit(rig.service.url, png, 1);
      expect({ status, errors: body.errors }).toEqual({ status: 200, errors: undefined });
      const { editJob: job } = body.data.editImage;
      expect(job.status).toBe('SUCCEEDED');
      urls.push(job.inputImages[0].url);
    }
    const atOnce = (work: (index: number) => Promise<unknown>) =>
      Promise.all(Array.from({ length: AT_ONCE }, (_, index) => work(index)));

    for (let i = 0; i < WARM_UPS; i++) await send();
    for (const url of urls) await read(url);
    await untilIdle(pid);
    const idleBytes = await rssBytesOf(pid);
    const growth = async (work: () => Promise<unknown>) =>
      (await peakRssBytesDuring(pid, work)) - idleBytes;

    const editsBytes = await growth(() => atOnce(send));
    await untilIdle(pid);
    const hashes = new Set<string>();
    const readsBytes = await growth(() =>
      atOnce(async (i) => hashes.add(await read(urls[WARM_UPS + i]))),
    );
    expect(hashes.size).toBe(AT_ONCE);
    expect(await rig.sandbox.stats()).toMatchObject({ paid: WARM_UPS + AT_ONCE });
    const bar = { atMost: MAX_GROWTH_MB, unit: 'MB' };
    report(`${AT_ONCE} images of 25 MB at once, in S3`, [
      { what: 'memory at rest, warm', service: showMb(idleBytes) },
      {
        what: 'peak over it while they are edited',
        service: showMb(editsBytes),
        bar: { value: toMb(editsBytes), ...bar },
      },
      {
        what: 'peak over it while they are read',
        service: showMb(readsBytes),
        bar: { value: toMb(readsBytes), ...bar },
      },
    ]);
  });
});

/** Answers the hash of the image. */
async function read(url: string | undefined): Promise<string> {
  const { body } = await fetch(url ?? '');
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body ?? []) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  expect(bytes).toBeGreaterThanOrEqual(IMAGE_BYTES);
  return hash.digest('hex');
}
