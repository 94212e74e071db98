import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { StorageError } from '../../../src/errors.ts';
import { createStaging, discardStagedFile } from '../../../src/images/storage/fs-staging.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { stage, temporaryStorage } from '../../support/storage.ts';

it.each([[[0]], [[1]], [[64]], [[10, 3, 60, 0, 1]], [[70_000, 5]], [[63, 64, 65]], [[5, 100_000]]])(
  'keeps the bytes of chunks of %j, their hash, head and tail',
  async (sizes) => {
    const { staging } = await temporaryStorage();
    const writer = await staging.create();
    const chunks = sizes.map((size) => randomBytes(size));
    for (const chunk of chunks) await writer.write(chunk);
    const content = Buffer.concat(chunks);
    expect(writer.bytes).toBe(content.length);
    const file = await writer.finish();
    expect(await readFile(file.path)).toEqual(content);
    expect(file).toEqual({
      path: file.path,
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      head: content.subarray(0, 64),
    });
  },
);

it('ends once, however often it is told to', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const writer = await staging.create();
  await writer.write(Buffer.from('x'));
  expect(await writer.finish()).toBe(await writer.finish());
  await writer.discard();
  await writer.discard();
  expect(await stagedFiles()).toEqual([]);
  await expect(writer.write(Buffer.from('y'))).rejects.toThrow(TypeError);
});

it('leaves nothing of a discarded file, finished or not', async () => {
  const { staging, stagedFiles } = await temporaryStorage();
  const writer = await staging.create();
  await writer.write(randomBytes(1_000));
  await writer.discard();
  await expect(writer.finish()).rejects.toThrow(TypeError);
  const file = await stage(staging, randomBytes(10));
  await discardStagedFile(file);
  await discardStagedFile(file);
  expect(await stagedFiles()).toEqual([]);
});

it('says that the disk refuses with a StorageError', async () => {
  const dir = await temporaryDirectory();
  await writeFile(join(dir, 'occupied'), '');
  const staging = createStaging({ dir: join(dir, 'occupied') });
  await expect(staging.create()).rejects.toThrow(StorageError);
});

it('sweeps what a killed process left, and nothing younger or of another kind', async () => {
  const { staging, stagingDir, stagedFiles } = await temporaryStorage();
  const old = await stage(staging, Buffer.from('old'));
  const young = await stage(staging, Buffer.from('young'));
  await mkdir(join(stagingDir, 'directory'));
  const anHourAgo = new Date(Date.now() - 3_600_000);
  await utimes(old.path, anHourAgo, anHourAgo);
  await utimes(join(stagingDir, 'directory'), anHourAgo, anHourAgo);
  expect(await staging.sweep(60_000)).toBe(1);
  expect(await stagedFiles()).toEqual([young.path]);
});

it('removes the staged files of ended processes, not those of running ones or its own', async () => {
  const { staging, stagingDir, stagedFiles } = await temporaryStorage();
  const of = (owner: string) => stage(createStaging({ dir: stagingDir, owner }), Buffer.from('x'));
  const own = await stage(staging, Buffer.from('own'));
  const dead = await of('dead');
  const running = await of('running');
  expect(await staging.sweepAbandoned(async () => new Set(['running']))).toBe(1);
  expect((await stagedFiles()).toSorted()).toEqual([own.path, running.path].toSorted());
  expect(dead.path).toContain('dead.');
});

it('sweeps a directory that is not there yet', async () => {
  const dir = await temporaryDirectory();
  expect(await createStaging({ dir: join(dir, 'none') }).sweep(0)).toBe(0);
});
