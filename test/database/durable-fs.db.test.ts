import fs from 'node:fs';
import { cp, readdir } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { openPglite } from '../../src/database/pglite.ts';
import { isUnreachable } from '../../src/database/unreachable.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/directory.ts';

const log = createLog({ level: 'silent' });

async function copyOfTemplate(): Promise<string> {
  const { dir, drop } = await createTestDatabase();
  onTestFinished(drop);
  return dir;
}

/** Files and directories that are synced from now on; `fail` makes each sync end in EIO. */
function watchSyncs() {
  const synced: string[] = [];
  const watched = { synced, fail: false };
  for (const name of ['fsyncSync', 'fdatasyncSync'] as const) {
    const real = fs[name];
    fs[name] = (fd) => {
      if (watched.fail) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
      synced.push(fs.readlinkSync(`/proc/self/fd/${fd}`));
      real(fd);
    };
    onTestFinished(() => {
      fs[name] = real;
      syncBuiltinESMExports();
    });
  }
  syncBuiltinESMExports();
  return watched;
}

describe.runIf(inject('databaseKind') === 'pglite' && process.platform === 'linux')(
  'the embedded database',
  () => {
    test('syncs its log at each commit, and its files, their names too, at a checkpoint', async () => {
      const dir = await copyOfTemplate();
      const database = await openPglite({ dir, log });
      onTestFinished(() => database.close());
      const { prisma } = database;
      const settings = await prisma.$queryRaw<{ name: string; setting: string }[]>`
        SELECT name, setting FROM pg_settings
        WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'wal_sync_method')`;
      expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
        fsync: 'on',
        full_page_writes: 'on',
        synchronous_commit: 'on',
        wal_sync_method: 'fsync',
      });

      const { synced } = watchSyncs();
      await prisma.$executeRaw`CREATE TABLE t (x int)`;
      synced.length = 0;
      for (let x = 0; x < 20; x += 1) await prisma.$executeRaw`INSERT INTO t VALUES (${x})`;
      expect(synced.filter((path) => path.includes('/postgres/pg_wal/'))).toHaveLength(20);

      synced.length = 0;
      const [file] = await prisma.$queryRaw<{ path: string }[]>`
        SELECT pg_relation_filepath('t') AS path`;
      await prisma.$executeRaw`CHECKPOINT`;
      const table = join(dir, 'postgres', file?.path ?? '');
      expect(synced).toContain(table);
      expect(synced).toContain(join(table, '..'));
      expect(synced).toContain(join(dir, 'postgres/global/pg_control'));
    });

    test('acknowledges nothing that the disk refuses to sync, and has the rest after its next start', {
      timeout: 60_000,
    }, async () => {
      const dir = await copyOfTemplate();
      const onAborted = vi.fn();
      const database = await openPglite({ dir, log, onAborted });
      const { prisma } = database;
      await prisma.$executeRaw`CREATE TABLE t (x int PRIMARY KEY)`;
      await prisma.$executeRaw`INSERT INTO t VALUES (1)`;

      const disk = watchSyncs();
      disk.fail = true;
      const inTransaction = prisma.$transaction(async (tx) => {
        await tx.$executeRaw`INSERT INTO t VALUES (2)`;
      });
      await expect(inTransaction).rejects.toSatisfy(isUnreachable);
      expect(onAborted).toHaveBeenCalledOnce();
      disk.fail = false;
      // The disk is well again, but what it has forgotten nobody knows.
      await expect(prisma.$executeRaw`INSERT INTO t VALUES (3)`).rejects.toSatisfy(isUnreachable);
      await expect(prisma.$transaction(async () => {})).rejects.toSatisfy(isUnreachable);
      await database.close();

      const next = await openPglite({ dir, log });
      onTestFinished(() => next.close());
      const rows = await next.prisma.$queryRaw<{ x: number }[]>`SELECT x FROM t ORDER BY x`;
      expect(rows[0]).toEqual({ x: 1 });
      expect(rows).not.toContainEqual({ x: 3 });
    });

    test('syncs all of a database that was copied, before it is used, and none that it closed itself', async () => {
      const dir = await temporaryDirectory();
      await cp(inject('pgliteTemplate'), dir, { recursive: true });
      const files = (await readdir(join(dir, 'postgres'), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
      const { synced } = watchSyncs();
      await (await openPglite({ dir, log })).close();
      expect(new Set(synced)).toEqual(new Set([...synced, ...files, join(dir, 'postgres')]));
      synced.length = 0;
      await (await openPglite({ dir, log })).close();
      expect(synced.length).toBeLessThan(files.length / 2);
    });

    test('says that a transaction has failed whose commit has', async () => {
      const dir = await copyOfTemplate();
      const database = await openPglite({ dir, log });
      onTestFinished(() => database.close());
      const { prisma } = database;
      await prisma.$executeRaw`CREATE TABLE t (x int UNIQUE DEFERRABLE INITIALLY DEFERRED)`;
      const twice = prisma.$transaction(async (tx) => {
        await tx.$executeRaw`INSERT INTO t VALUES (1), (1)`;
      });
      await expect(twice).rejects.toThrow('t_x_key');
      expect(await prisma.$queryRaw`SELECT x FROM t`).toEqual([]);
    });

    test('runs a transaction at the isolation level that it was asked for', async () => {
      const dir = await copyOfTemplate();
      const database = await openPglite({ dir, log });
      onTestFinished(() => database.close());
      const level = (isolationLevel: 'Serializable' | 'ReadCommitted') =>
        database.prisma.$transaction(
          (tx) => tx.$queryRaw`SELECT current_setting('transaction_isolation') AS level`,
          { isolationLevel },
        );
      expect(await level('Serializable')).toEqual([{ level: 'serializable' }]);
      expect(await level('ReadCommitted')).toEqual([{ level: 'read committed' }]);
    });
  },
);
