import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { createRequestFuzz } from '../support/fuzz-requests.ts';
import { rssBytesOf, untilIdle } from '../support/process-stats.ts';
import { sendFuzzes } from '../support/send-fuzz.ts';
import { startRig } from '../support/service-processes.ts';
import { png } from '../support/test-images.ts';
import { report, showMb, toMb } from './figures.ts';

const MINUTES = Number(process.env['FUZZ_MINUTES'] ?? 5);
const AT_ONCE = 8;
/** Enough that what stays warm is warm. */
const WARM_UPS = 500;
const MAX_GROWTH_MB = 100;

describe.runIf(hasDatabase)('random wrong variables, multipart bodies and images', () => {
  test('for five minutes cause no 5xx, no crash and no growth, and an upload succeeds afterwards', async () => {
    const rig = await startRig();
    const { pid = 0 } = rig.service.child;
    const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
    process.stdout.write(`FUZZ_SEED=${seed}\n`);
    const jobId = await rig.submit('before them');
    await rig.final(jobId);
    const fuzz = await createRequestFuzz({ seed, imageId: rig.imageId, jobId });
    let sent = 0;
    const upTo = (isDone: () => boolean) => () => {
      if (isDone()) return null;
      sent += 1;
      return fuzz();
    };

    const wrong = await sendFuzzes(
      rig.service.url,
      upTo(() => sent >= WARM_UPS),
      AT_ONCE,
    );
    await untilIdle(pid);
    const warmBytes = await rssBytesOf(pid);
    const endMs = performance.now() + MINUTES * 60_000;
    wrong.push(
      ...(await sendFuzzes(
        rig.service.url,
        upTo(() => performance.now() > endMs),
        AT_ONCE,
      )),
    );
    await untilIdle(pid);
    const grownMb = toMb((await rssBytesOf(pid)) - warmBytes);

    expect({
      wrong: wrong.slice(0, 3),
      count: wrong.length,
      exit: rig.service.child.exitCode,
    }).toEqual({ wrong: [], count: 0, exit: null });
    expect(await rig.uploadImage(await png(48, 48))).not.toBe('');
    await rig.orphans();
    report(`${MINUTES} minutes of wrong requests, ${AT_ONCE} at once`, [
      { what: 'requests', service: `${sent}` },
      { what: 'memory at rest, warm', service: showMb(warmBytes) },
      { what: 'growth', service: '', bar: { value: grownMb, atMost: MAX_GROWTH_MB, unit: 'MB' } },
      {
        what: 'files left over',
        service: '',
        bar: { value: (await rig.files('staging')).length, atMost: 0, unit: '' },
      },
    ]);
  });
});
