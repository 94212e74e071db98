import { chmod, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  canUseDirectory,
  createStorageAccess,
} from '../../../src/config/data-dir/storage-access.ts';
import { temporaryDirectory } from '../../support/directory.ts';
import { eventually } from '../../support/eventually.ts';

test('is there as long as all directories are, and again when they are back; says once why not', async () => {
  const root = await temporaryDirectory();
  const dirs = ['blobs', 'staging'].map((name) => join(root, name));
  for (const dir of dirs) await mkdir(dir);
  const [blobs = ''] = dirs;
  const reasons: unknown[] = [];
  const { check } = createStorageAccess({
    parts: dirs.map((dir) => () => canUseDirectory(dir)),
    onGone: (error) => reasons.push(error),
  });
  expect(await check()).toBe(true);
  await rename(blobs, `${blobs}.away`);
  expect(await Promise.all([check(), check()])).toEqual([false, false]);
  expect(await check()).toBe(false);
  expect(reasons).toEqual([expect.objectContaining({ code: 'ENOENT' })]);
  await rename(`${blobs}.away`, blobs);
  expect(await check()).toBe(true);
  await rename(blobs, `${blobs}.away`);
  expect(await check()).toBe(false);
  expect(reasons).toHaveLength(2);
});

// Nothing is forbidden to root.
test.skipIf(process.getuid?.() === 0)('is not there while it cannot be written to', async () => {
  const dir = await temporaryDirectory();
  await chmod(dir, 0o500);
  expect(await createStorageAccess({ parts: [() => canUseDirectory(dir)] }).check()).toBe(false);
});

test('is not there while it does not answer, and is not asked again meanwhile', async () => {
  let asked = 0;
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const hangs = () => {
    asked += 1;
    return answered;
  };
  const { check } = createStorageAccess({ parts: [hangs], timeoutMs: 10 });
  expect(await Promise.all([check(), check()])).toEqual([false, false]);
  expect(await check()).toBe(false);
  expect(asked).toBe(1);
  answer();
  await eventually(async () => expect(await check()).toBe(true));
});
