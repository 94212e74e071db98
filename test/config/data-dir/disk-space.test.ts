import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDiskSpace } from '../../../src/config/data-dir/disk-space.ts';
import { temporaryDirectory } from '../../support/directory.ts';

test('there is enough when the minimum is free, and always when it is 0', async () => {
  const dir = await temporaryDirectory();
  const isEnough = (minFreeBytes: number) => createDiskSpace({ dir, minFreeBytes }).isEnough();
  expect(await isEnough(1)).toBe(true);
  expect(await isEnough(Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(await isEnough(0)).toBe(true);
});

test('a disk that cannot be asked has no room', async () => {
  const dir = join(await temporaryDirectory(), 'none');
  expect(await createDiskSpace({ dir, minFreeBytes: 1 }).isEnough()).toBe(false);
});
