import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { temporaryDirectory } from '../support/directory.ts';
import { startRig } from '../support/service-processes.ts';

/** EX_TEMPFAIL of sysexits.h. */
const EXIT_TEMPORARY = 75;

/** Stands in front of the service: once `trigger` exists, every sync ends in EIO. */
const failingSyncs = (trigger: string) => `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const real = fs.fdatasyncSync;
  fs.fdatasyncSync = (fd) => {
    if (!fs.existsSync(${JSON.stringify(trigger)})) return real(fd);
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
  };
  syncBuiltinESMExports();
`;

describe.runIf(inject('databaseKind') === 'pglite')('a disk that cannot sync', () => {
  test('has the embedded database end, and the process with 75; what was acknowledged is there after', {
    timeout: 120_000,
  }, async () => {
    const dir = await temporaryDirectory();
    const [trigger, preload] = [join(dir, 'fail'), join(dir, 'preload.mjs')];
    await writeFile(preload, failingSyncs(trigger));
    const rig = await startRig({ NODE_OPTIONS: `--import=${preload}` });
    const id = await rig.submit('before');
    expect((await rig.final(id)).status).toBe('SUCCEEDED');

    await writeFile(trigger, '');
    // Told so, or met by a process that has ended already: a heartbeat may have been first.
    await expect(rig.submit('meanwhile')).rejects.toThrow();
    expect(await rig.service.exited).toBe(EXIT_TEMPORARY);
    const lines = rig.service.lines.join('\n');
    expect(lines).toContain('the embedded database stopped because it could not write to DATA_DIR');

    await rig.restart({ NODE_OPTIONS: '' });
    expect((await rig.job(id)).status).toBe('SUCCEEDED');
    expect(await rig.paidFor('before')).toBe(1);
    expect(await rig.paidFor('meanwhile')).toBeLessThanOrEqual(1);
  });
});
