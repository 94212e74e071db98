import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { Prisma } from '../../../src/database/database.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import { blobKey } from '../../../src/images/storage/blob-key.ts';
import { createLog } from '../../../src/log.ts';
import { backUp, createTarget, openHistory } from '../../support/back-up.ts';
import { hasDatabase } from '../../support/database.ts';
import { OWNER } from '../../support/stored-edits.ts';

const log = createLog({ level: 'silent' });

async function openBackup() {
  const history = await openHistory();
  const { dir } = await backUp(history.run);
  const [image] = await history.prisma.image.findMany({ orderBy: { id: 'asc' } });
  const key = blobKey({ ownerId: OWNER, sha256: image?.sha256 ?? '' });
  return { ...history, backup: dir, key };
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
  await writeFile(path, bytes);
}

/** What a restore left in the queue, by kind. */
async function queuedIn(target: Awaited<ReturnType<typeof createTarget>>) {
  const database = await target.open();
  const jobs = Prisma.raw(`"${database.names.queueSchema}".job`);
  const rows = await database.prisma.$queryRaw<{ name: string; jobs: number }[]>`
    SELECT name, count(*)::int AS jobs FROM ${jobs} GROUP BY name ORDER BY name`;
  const attempts = await database.prisma.editAttempt.findMany({ where: { state: 'SENT' } });
  const edits = await database.prisma.editJob.findMany({ where: { status: { not: 'SUCCEEDED' } } });
  await database.close();
  return {
    jobs: Object.fromEntries(rows.map(({ name, jobs }) => [name, jobs])),
    attempts: attempts.map(({ jobId }) => jobId),
    edits: edits.map(({ id, status }) => [id, status]),
  };
}

describe.runIf(hasDatabase)('verify', () => {
  test('finds damaged and missing images of the service', async () => {
    const { dir, key, run, blobs, upload } = await openBackup();
    await upload('another');
    await flipByte(join(dir, 'blobs', key));
    await blobs.put(blobKey({ ownerId: OWNER, sha256: 'b'.repeat(64) }), await spare(dir));
    const damaged = await run('verify');
    expect(damaged).toMatchObject({ exitCode: 1, stdout: `The image ${key} is damaged.\n` });
    expect(damaged.stderr).toContain('2 images are intact');
    expect(damaged.stderr).toContain('1 images have no row');
    await blobs.delete(key);
    expect(await run('verify')).toMatchObject({
      exitCode: 1,
      stdout: `The image ${key} is missing.\n`,
    });
  });

  test.each([
    [
      'a damaged image',
      (dir: string, key: string) => flipByte(join(dir, 'blobs', key)),
      /The image \S+ is damaged\./,
    ],
    [
      'a missing image',
      (dir: string, key: string) => rm(join(dir, 'blobs', key)),
      /The image \S+ is missing\./,
    ],
    [
      'a damaged table',
      (dir: string) => flipByte(join(dir, 'tables/EditJob.ndjson')),
      /tables\/EditJob.ndjson is damaged\./,
    ],
    [
      'a missing table',
      (dir: string) => rm(join(dir, 'tables/Image.ndjson')),
      /tables\/Image.ndjson is missing\./,
    ],
  ])('finds %s of a backup, and restore rejects it', async (_, damage, fault) => {
    const { backup, key, run } = await openBackup();
    expect(await run('verify', backup)).toMatchObject({ exitCode: 0, stdout: '' });
    await damage(backup, key);
    const verified = await run('verify', backup);
    expect(verified).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(fault) });
    const target = await createTarget();
    const restored = await target.run('restore', backup);
    expect(restored).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(fault) });
    expect(restored.stderr).toContain('Nothing is restored');
  });
});

async function spare(dir: string): Promise<string> {
  const path = join(dir, `spare-${randomUUID()}`);
  await writeFile(path, 'an orphan');
  return path;
}

describe.runIf(hasDatabase)('a restore', () => {
  test('goes on without a damaged image only if asked to', async () => {
    const { backup, key } = await openBackup();
    await flipByte(join(backup, 'blobs', key));
    const target = await createTarget();
    expect(await target.run('restore', backup, '--skip-damaged')).toMatchObject({ exitCode: 0 });
    expect(await target.run('verify')).toMatchObject({
      exitCode: 1,
      stdout: `The image ${key} is missing.\n`,
    });
  });

  test('that did not finish keeps a service from starting, and can be repeated', async () => {
    const { backup } = await openBackup();
    const target = await createTarget();
    await target.run('restore', backup);
    const before = await target.dump();
    const database = await target.open();
    await database.prisma.$executeRaw`
      INSERT INTO _prisma_migrations (id, checksum, migration_name)
      VALUES ('unfinished_restore', '', 'unfinished_restore')`;
    await database.prisma.$executeRaw`DROP TABLE "Charge"`;
    await database.close();

    const config = loadConfig(target.env).database;
    await expect(openDatabase({ config, log })).rejects.toThrow(
      'a restore of this database did not finish',
    );
    const { stderr } = await target.run('backup', join(target.dir, 'b'));
    expect(stderr).toContain('A restore of this database did not finish');
    expect(await target.run('restore', backup)).toMatchObject({ exitCode: 0 });
    expect(await target.dump()).toEqual(before);
    expect(await target.run('verify')).toMatchObject({ exitCode: 0 });
  });

  test('sends no edit that was queued, since it may have been sent later', async () => {
    const history = await openHistory();
    const id = await history.edit({ prompt: 'a wood', status: 'QUEUED' });
    const { dir } = await backUp(history.run);
    const target = await createTarget();
    const { stderr } = await target.run('restore', dir);
    expect(stderr).toContain('1 edits were queued and may have been sent since');
    expect(await queuedIn(target)).toEqual({
      jobs: { 'deliver-webhook': 1 },
      attempts: [id],
      edits: [[id, 'RUNNING']],
    });
  });

  test('sends it if asked to, and replaces the queue of before', async () => {
    const history = await openHistory();
    const id = await history.edit({ prompt: 'a wood', status: 'QUEUED' });
    const { dir } = await backUp(history.run);
    const target = await createTarget();
    for (const more of [[], ['--replace']]) {
      const { stderr } = await target.run('restore', dir, '--requeue', ...more);
      expect(stderr).toContain('1 edits are queued again');
      expect(await queuedIn(target)).toEqual({
        jobs: { 'deliver-webhook': 1, 'run-edit': 1 },
        attempts: [],
        edits: [[id, 'QUEUED']],
      });
    }
  });
});

describe.runIf(hasDatabase)('a backup', () => {
  test('is complete or not there: another directory is left alone', async () => {
    const { backup, run, dir } = await openBackup();
    expect(await run('backup', backup)).toMatchObject({ exitCode: 1 });
    expect(await run('verify', backup)).toMatchObject({ exitCode: 0 });
    const names = await readdir(join(backup, '..'));
    expect(names).toEqual(['backup']);
    expect(await run('restore', dir)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is not a complete backup'),
    });
  });

  test('without an image says so, and has everything else', async () => {
    const { run, blobs, key } = await openBackup();
    await blobs.delete(key);
    const { dir, output } = await backUp(run);
    expect(output).toMatchObject({ exitCode: 1, stdout: `${dir}\n` });
    expect(output.stderr).toContain(`The image ${key} is missing.`);
    const target = await createTarget();
    expect(await target.run('restore', dir, '--skip-damaged')).toMatchObject({ exitCode: 0 });
  });
});
