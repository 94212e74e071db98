import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeNewDatabase } from '../../src/database/new-database.ts';
import { openPglite } from '../../src/database/pglite.ts';
import { createLog } from '../../src/log.ts';
import { databaseKind } from '../support/database-kind.ts';

describe.runIf(databaseKind() === 'pglite')('a new database', { timeout: 120_000 }, () => {
  async function makeDir(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'retouch-test-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    return dir;
  }

  test('is a copy of the empty one that the installation has made', async () => {
    const dir = await makeDir();
    const empty = join(dir, 'empty');
    await mkdir(join(empty, 'base'), { recursive: true });
    await writeFile(join(empty, 'base/1'), 'made before');
    await writeNewDatabase(join(dir, 'new'), empty);
    expect(await readFile(join(dir, 'new/base/1'), 'utf8')).toBe('made before');
    expect(existsSync(join(dir, 'new/PG_VERSION'))).toBe(false);
  });

  test('is made by initdb where the installation has made none, with the same settings', async () => {
    const dir = await makeDir();
    await writeNewDatabase(join(dir, 'postgres'), join(dir, 'none'));
    const { prisma, close } = await openPglite({ dir, log: createLog({ level: 'silent' }) });
    onTestFinished(close);
    expect(await prisma.$queryRaw`SHOW shared_buffers`).toEqual([{ shared_buffers: '16MB' }]);
  });
});
