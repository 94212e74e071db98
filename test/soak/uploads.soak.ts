import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { peakRssBytesDuring, rssBytesOf, untilIdle } from '../support/process-stats.ts';
import { startRig } from '../support/service-processes.ts';
import { noisePng } from '../support/test-images.ts';
import { report, showMb, toMb } from './figures.ts';
import { type Outcome, sendEdit } from './send-edit.ts';

const IMAGE_BYTES = 25_000_000;
const IMAGES = 16;
const REQUESTS = 8;
const WARM_UPS = 4;
/** By the guarantee, over warm idle. */
const MAX_GROWTH_MB = 150;

describe.runIf(hasDatabase)('images that come in all at once', () => {
  test('leave memory flat; what is too much is told to come again, and then served', async () => {
    const rig = await startRig({}, { fixedOutputBytes: 2_000_000 });
    const { pid = 0 } = rig.service.child;
    const png = await noisePng(IMAGE_BYTES);
    const send = (images: number) => sendEdit(rig.service.url, png, images);
    for (let i = 0; i < WARM_UPS; i++) await send(1);
    await untilIdle(pid);
    const idleBytes = await rssBytesOf(pid);

    const refusals: Outcome[] = [];
    async function sendUntilServed(): Promise<Outcome> {
      for (;;) {
        const outcome = await send(IMAGES);
        if (outcome.status !== 503) return outcome;
        refusals.push(outcome);
        await delay(Number(outcome.retryAfter) * 1_000);
      }
    }
    const startedMs = performance.now();
    let served: Outcome[] = [];
    const peakBytes = await peakRssBytesDuring(pid, async () => {
      served = await Promise.all(Array.from({ length: REQUESTS }, sendUntilServed));
    });
    const tookSeconds = (performance.now() - startedMs) / 1_000;
    await untilIdle(pid);

    for (const { status, body } of served) {
      expect({ status, job: body.data?.editImage.editJob.status, errors: body.errors }).toEqual({
        status: 200,
        job: 'SUCCEEDED',
      });
    }
    for (const { retryAfter, body } of refusals) {
      expect(retryAfter).toMatch(/^[1-9]\d*$/);
      expect(body.errors[0].extensions.code).toBe('UNAVAILABLE');
    }
    expect(await rig.sandbox.stats()).toMatchObject({ paid: WARM_UPS + REQUESTS });
    report(`${REQUESTS} requests of ${IMAGES} images of 25 MB at once`, [
      { what: 'refused with 503 and Retry-After', service: `${refusals.length}` },
      { what: 'all served after', service: `${tookSeconds.toFixed(1)} s` },
      { what: 'memory at rest, warm', service: showMb(idleBytes) },
      {
        what: 'peak of memory over it',
        service: showMb(peakBytes),
        bar: { value: toMb(peakBytes - idleBytes), atMost: MAX_GROWTH_MB, unit: 'MB' },
      },
      { what: 'memory at rest afterwards', service: showMb(await rssBytesOf(pid)) },
    ]);
  });
});
