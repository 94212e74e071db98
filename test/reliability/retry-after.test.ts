import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startRig } from '../support/service-processes.ts';

const RETRY_AFTER_SECONDS = 8;

describe.runIf(hasDatabase)('an edits API that asks for time', () => {
  test('gets no POST before that, of any edit, also not from a process that starts meanwhile', async () => {
    const rig = await startRig();
    await rig.sandbox.push({ kind: 'rate_limit', retryAfter: RETRY_AFTER_SECONDS });
    const refused = await rig.submit('refused');
    await eventually(async () => {
      expect((await rig.job(refused)).attempts).toMatchObject([{ state: 'FAILED' }]);
    });
    const other = await rig.submit('other');
    await rig.service.kill();
    await rig.restart();
    const jobs = [await rig.final(refused), await rig.final(other)];
    expect(jobs.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(jobs.map(({ attempts }) => attempts.length)).toEqual([2, 1]);
    const [{ attempts }] = jobs;
    const notBeforeMs = Date.parse(attempts[0].sentAt) + RETRY_AFTER_SECONDS * 1_000;
    for (const { attempts: all } of jobs) {
      expect(Date.parse(all.at(-1).sentAt)).toBeGreaterThanOrEqual(notBeforeMs);
    }
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 3, paid: 2 });
  });
});
