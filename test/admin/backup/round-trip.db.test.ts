import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { applyMigrations } from '../../../src/database/apply-migrations.ts';
import { createSchema, readMigrations } from '../../../src/database/migrations.ts';
import { createLog } from '../../../src/log.ts';
import {
  backUp,
  changeManifest,
  createEmbeddedTarget,
  createTarget,
  dumpOwnTables,
  openHistory,
} from '../../support/back-up.ts';
import { runCommandLine } from '../../support/command-line.ts';
import { hasDatabase } from '../../support/database.ts';
import { startS3Server } from '../../support/s3-server.ts';

describe.runIf(hasDatabase)('a backup', () => {
  test('of a database in use restores every row and image', async () => {
    const history = await openHistory();
    const key = randomBytes(32).toString('base64');
    await writeFile(join(history.dir, 'secret.key'), key);
    const { dir, output } = await backUp(history.run);
    expect(output).toMatchObject({ exitCode: 0, stdout: `${dir}\n` });
    const before = await dumpOwnTables(history);
    const target = await createTarget();
    const restored = await target.run('restore', dir);
    expect(restored).toMatchObject({ exitCode: 0 });
    expect(restored.stderr).toContain('and 2 images');
    expect(await target.dump()).toEqual(before);
    expect((await target.run('verify')).stderr).toContain('2 images are intact');
    if (history.database.kind === 'pglite') {
      expect(await readFile(join(target.dir, 'secret.key'), 'utf8')).toBe(key);
    }
  });

  test('keeps images in S3, and restores them there', async () => {
    const [from, to] = [await startS3Server(), await startS3Server()];
    const history = await openHistory();
    const { dir } = await backUp(history.run);
    const target = await createTarget();
    const inBucket =
      (env: Record<string, string>) =>
      (...args: string[]) =>
        runCommandLine({ ...target.env, ...env }, ...args);
    expect(await inBucket(from.env)('restore', dir)).toMatchObject({ exitCode: 0 });
    expect(await from.keys()).toHaveLength(2);

    const again = await backUp(inBucket(from.env));
    expect(again.output).toMatchObject({ exitCode: 0 });
    const replaced = await inBucket(to.env)('restore', again.dir, '--replace');
    expect(replaced).toMatchObject({ exitCode: 0 });
    // Its settings name a bucket that does not have them.
    expect(replaced.stderr.match(/The image \S+ is missing/g)).toHaveLength(2);
    expect(await to.keys()).toEqual(await from.keys());
    expect(await inBucket(to.env)('verify')).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test.runIf(inject('databaseKind') === 'postgres')(
    'moves from a Postgres server to an embedded database, and is copied from there to another server',
    async () => {
      const history = await openHistory();
      const before = await dumpOwnTables(history);
      const { dir } = await backUp(history.run);
      const embedded = await createEmbeddedTarget();
      expect(await embedded.run('restore', dir)).toMatchObject({ exitCode: 0 });

      const target = await createTarget();
      const url = target.env['DATABASE_URL'] ?? '';
      const bucket = await startS3Server();
      const copied = await runCommandLine(
        { ...bucket.env, DATA_DIR: embedded.dir, STORAGE_URL: '' },
        ...['copy', '--to-database', url, '--to-storage', bucket.env['STORAGE_URL'] ?? ''],
      );
      expect(copied).toMatchObject({ exitCode: 0 });
      expect(copied.stderr).toContain('Set SECRET_KEY');
      expect(await target.dump()).toEqual(before);
      expect(await bucket.keys()).toHaveLength(2);

      const again = await embedded.run('copy', '--to-database', url);
      expect(again).toMatchObject({ exitCode: 1 });
      expect(again.stderr).toContain('is not empty');
      expect(await embedded.run('verify')).toMatchObject({ exitCode: 0 });
    },
  );

  test('of an older schema is restored, then migrated', async () => {
    const old = await createTarget();
    const database = await old.open();
    const migrations = await readMigrations();
    await createSchema(database, database.names.schema);
    await using connection = await database.openForMigration();
    await applyMigrations(connection, migrations.slice(0, 1), {
      log: createLog({ level: 'silent' }),
    });
    await connection.run(`
      INSERT INTO "Budget" ("ownerId", "limitMicroUsd", period, "periodStart")
      VALUES ('me', 5, 'MONTH', now())`);
    await database.close();
    const { dir, output } = await backUp(old.run);
    expect(output).toMatchObject({ exitCode: 0 });

    const target = await createTarget();
    expect(await target.run('restore', dir)).toMatchObject({ exitCode: 0 });
    const { Limit } = await target.dump();
    expect(Limit?.map((row) => JSON.parse(row))).toEqual([
      expect.objectContaining({ ownerId: 'me', amount: 5, measure: 'COST' }),
    ]);
  });

  test('of a newer schema is rejected in one sentence', async () => {
    const history = await openHistory();
    const { dir } = await backUp(history.run);
    await changeManifest(dir, ({ migrations }) =>
      migrations.push({ name: '20990101000000_later', checksum: 'a'.repeat(64) }),
    );
    const target = await createTarget();
    expect(await target.run('restore', dir)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr:
        'The backup has migration 20990101000000_later, which this release does not know: restore it with the release that wrote it, or a newer one.\n',
    });
  });

  test('does not replace a history unless asked to, and then makes a restore point', async () => {
    const first = await openHistory();
    const { dir } = await backUp(first.run);
    const target = await createTarget();
    await target.run('restore', dir);
    await first.edit({ prompt: 'later', inputs: ['later'] });
    const later = await backUp(first.run);
    const before = await target.dump();

    const refused = await target.run('restore', later.dir);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.stderr).toContain('replace what is there by --replace');
    expect(await target.dump()).toEqual(before);

    const replaced = await target.run('restore', later.dir, '--replace');
    expect(replaced).toMatchObject({ exitCode: 0 });
    expect(await target.dump()).toEqual(await dumpOwnTables(first));
    const [, point = ''] = /restore point.*: (\S+)/.exec(replaced.stderr) ?? [];
    expect(await target.run('verify', point)).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await target.run('restore', point, '--replace')).toMatchObject({ exitCode: 0 });
    expect(await target.dump()).toEqual(before);
  });
});
