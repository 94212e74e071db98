import { chmod, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createStorageAccess } from '../src/storage-access.ts';
import { temporaryDirectory } from './support/directory.ts';

test('is there as long as all directories are, and again when they are back', async () => {
  const root = await temporaryDirectory();
  const dirs = ['blobs', 'staging'].map((name) => join(root, name));
  for (const dir of dirs) await mkdir(dir);
  const [blobs = ''] = dirs;
  const { check } = createStorageAccess({ dirs });
  expect(await check()).toBe(true);
  await rename(blobs, `${blobs}.away`);
  expect(await Promise.all([check(), check()])).toEqual([false, false]);
  await rename(`${blobs}.away`, blobs);
  expect(await check()).toBe(true);
});

// Nothing is forbidden to root.
test.skipIf(process.getuid?.() === 0)('is not there while it cannot be written to', async () => {
  const dir = await temporaryDirectory();
  await chmod(dir, 0o500);
  expect(await createStorageAccess({ dirs: [dir] }).check()).toBe(false);
});

test('is not there while it does not answer, and is not asked again meanwhile', async () => {
  const asked: string[] = [];
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const use = (dir: string) => {
    asked.push(dir);
    return answered;
  };
  const { check } = createStorageAccess({ dirs: ['/hangs'], timeoutMs: 10, use });
  expect(await Promise.all([check(), check()])).toEqual([false, false]);
  expect(await check()).toBe(false);
  expect(asked).toEqual(['/hangs']);
  answer();
  await vi.waitFor(async () => expect(await check()).toBe(true));
});
