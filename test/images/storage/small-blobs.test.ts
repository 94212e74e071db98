import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { createSmallBlobs } from '../../../src/images/storage/small-blobs.ts';

/** Blobs of four bytes, which are read in two chunks. */
function setUp(maxBytes: number, fails: () => boolean = () => false) {
  const reads: string[] = [];
  const smallBlobs = createSmallBlobs({
    maxBytes,
    blobs: {
      read(key) {
        reads.push(key);
        return Readable.from(
          (async function* () {
            yield Buffer.from(key.slice(0, 2));
            if (fails()) throw new Error('disk broke');
            yield Buffer.from(key.slice(2));
          })(),
          { objectMode: false },
        );
      },
    },
  });
  return { smallBlobs, reads };
}

it('reads a blob once, also for several at once', async () => {
  const { smallBlobs, reads } = setUp(100);
  expect(smallBlobs.get('aaaa')).toBeUndefined();
  const both = await Promise.all([smallBlobs.read('aaaa'), smallBlobs.read('aaaa')]);
  expect(both.map(String)).toEqual(['aaaa', 'aaaa']);
  expect(smallBlobs.get('aaaa')?.toString()).toBe('aaaa');
  expect(reads).toEqual(['aaaa']);
});

it('keeps no more bytes than it may, and drops what was not asked for the longest', async () => {
  const { smallBlobs } = setUp(12);
  for (const key of ['aaaa', 'bbbb', 'cccc']) await smallBlobs.read(key);
  smallBlobs.get('aaaa');
  await smallBlobs.read('dddd');
  const kept = ['aaaa', 'bbbb', 'cccc', 'dddd'].filter((key) => smallBlobs.get(key) !== undefined);
  expect(kept).toEqual(['aaaa', 'cccc', 'dddd']);
});

it('keeps nothing of a blob that could not be read, and reads it again', async () => {
  let isBroken = true;
  const { smallBlobs, reads } = setUp(100, () => isBroken);
  await expect(smallBlobs.read('aaaa')).rejects.toThrow('disk broke');
  expect(smallBlobs.get('aaaa')).toBeUndefined();
  isBroken = false;
  expect(String(await smallBlobs.read('aaaa'))).toBe('aaaa');
  expect(reads).toEqual(['aaaa', 'aaaa']);
});
