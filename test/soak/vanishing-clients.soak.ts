import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { startRig } from '../support/service-processes.ts';
import { vanishWhileUploading } from '../support/vanishing-clients.ts';
import { report } from './figures.ts';

const CLIENTS = 500;
/** By the guarantee. */
const CLEAN_WITHIN_SECONDS = 60;

describe.runIf(hasDatabase)('clients that vanish while they upload', () => {
  test('at 500 random offsets leave no file, no job and a service that goes on', async () => {
    const rig = await startRig();
    await vanishWhileUploading(rig.service.url, CLIENTS);
    const vanishedMs = performance.now();
    await rig.orphans();
    const seconds = (performance.now() - vanishedMs) / 1_000;
    const { data } = await rig.query('{ editJobs { totalCount } }');
    // The same process as before: nothing starts it again.
    const id = await rig.submit('after them');
    expect((await rig.final(id)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
    const { length: files } = await rig.files('staging');
    report(`${CLIENTS} clients that vanish at random offsets of their upload`, [
      { what: 'files left over', service: '', bar: { value: files, atMost: 0, unit: '' } },
      {
        what: 'clean after the last of them',
        service: '',
        bar: { value: seconds, atMost: CLEAN_WITHIN_SECONDS, unit: 's' },
      },
      { what: 'jobs', service: '', bar: { value: data.editJobs.totalCount, atMost: 0, unit: '' } },
    ]);
  });
});
