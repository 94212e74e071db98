import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { startRig } from '../support/service-processes.ts';
import { vanishWhileUploading } from '../support/vanishing-clients.ts';

describe.runIf(hasDatabase)('clients that vanish while they upload', () => {
  test('at 50 random offsets leave no file, no job and a service that goes on', async () => {
    const rig = await startRig();
    await vanishWhileUploading(rig.service.url, 50);
    expect(await rig.orphans()).toBe(0);
    const { data } = await rig.query('{ editJobs { totalCount } }');
    expect(data.editJobs.totalCount).toBe(0);
    const id = await rig.submit('after them');
    expect((await rig.final(id)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });
});
