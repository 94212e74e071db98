import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { makeCheckpoints } from '../../src/database/checkpoints.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase } from '../support/database.ts';

describe.runIf(inject('databaseKind') === 'pglite')('checkpoints', () => {
  test('let the log of the embedded database go that is not needed any more', async () => {
    const { dir, drop } = await createTestDatabase();
    onTestFinished(drop);
    const pglite = await PGlite.create({ dataDir: join(dir, 'postgres') });
    onTestFinished(() => pglite.close());
    const redo = async () => {
      const { rows } = await pglite.query<{ lsn: string }>(
        'SELECT redo_lsn AS lsn FROM pg_control_checkpoint()',
      );
      return rows[0]?.lsn;
    };
    const before = await redo();
    // Five of the log's files.
    for (let file = 0; file < 5; file += 1) {
      await pglite.exec('CREATE TABLE t (x int); DROP TABLE t; SELECT pg_switch_wal()');
    }
    const log = createLog({ level: 'silent' });
    const few = makeCheckpoints({ pglite, log, lookMs: 1, maxLogBytes: 1024 ** 3 });
    onTestFinished(few.stop);
    await pglite.query('SELECT pg_sleep(0.02)');
    few.stop();
    expect(await redo()).toBe(before);
    expect(await readdir(join(dir, 'postgres', 'pg_wal'))).toContain('000000010000000000000003');

    const { stop } = makeCheckpoints({ pglite, log, lookMs: 1, maxLogBytes: 64 * 1024 ** 2 });
    onTestFinished(stop);
    await expect.poll(redo).not.toBe(before);
  });
});
