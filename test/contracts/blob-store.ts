import { randomBytes } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BlobStore } from '../../src/images/storage/blob-store.ts';
import type { Staging } from '../../src/images/storage/staging.ts';
import { stage } from '../support/storage.ts';

/** What every blob store must do. `make` answers a fresh one, and staging that it can take from. */
export function describeBlobStore(
  name: string,
  make: () => Promise<{ blobs: BlobStore; staging: Staging }>,
) {
  describe(`${name} as a blob store`, () => {
    const KEY = 'owner/ab/abcdef';

    it('gives back the bytes it took, and takes the file away', async () => {
      const { blobs, staging } = await make();
      const content = randomBytes(300_000);
      const file = await stage(staging, content);
      await blobs.put(KEY, file.path);
      expect(await buffer(blobs.read(KEY))).toEqual(content);
      expect(await blobs.size(KEY)).toBe(content.length);
      await expect(access(file.path)).rejects.toThrow('ENOENT');
    });

    it('takes the file over also when its content is there already', async () => {
      const { blobs, staging } = await make();
      const content = randomBytes(1_000);
      for (let time = 0; time < 2; time += 1) {
        const file = await stage(staging, content);
        await blobs.put(KEY, file.path);
        await expect(access(file.path)).rejects.toThrow('ENOENT');
      }
      expect(await buffer(blobs.read(KEY))).toEqual(content);
    });

    it('copies a blob, which stays when its source is deleted', async () => {
      const { blobs, staging } = await make();
      const content = randomBytes(300_000);
      await blobs.put(KEY, (await stage(staging, content)).path);
      expect(await blobs.copy(KEY, 'other/ab/abcdef')).toBe(true);
      await blobs.delete(KEY);
      expect(await blobs.size(KEY)).toBeNull();
      expect(await buffer(blobs.read('other/ab/abcdef'))).toEqual(content);
    });

    it('copies over an equal blob, and renews its time', async () => {
      const { blobs, staging } = await make();
      const content = randomBytes(1_000);
      for (const key of [KEY, 'other/ab/abcdef']) {
        await blobs.put(key, (await stage(staging, content)).path);
      }
      const before = await blobs.modifiedAt('other/ab/abcdef');
      // S3 counts in whole seconds.
      await delay(1_100);
      expect(await blobs.copy(KEY, 'other/ab/abcdef')).toBe(true);
      const after = await blobs.modifiedAt('other/ab/abcdef');
      expect(after?.getTime()).toBeGreaterThan(before?.getTime() ?? Number.POSITIVE_INFINITY);
      expect(await buffer(blobs.read('other/ab/abcdef'))).toEqual(content);
    });

    it('says that an unknown key cannot be copied', async () => {
      const { blobs } = await make();
      expect(await blobs.copy(KEY, 'other/ab/abcdef')).toBe(false);
      expect(await blobs.size('other/ab/abcdef')).toBeNull();
    });

    it('gives the bytes piece by piece, also to several readers at once', async () => {
      const { blobs, staging } = await make();
      const content = randomBytes(1_000_000);
      await blobs.put(KEY, (await stage(staging, content)).path);
      const read = async () => {
        const copies: Buffer[] = [];
        for await (const piece of blobs.pieces(KEY)) copies.push(Buffer.from(piece));
        return Buffer.concat(copies).equals(content);
      };
      for (let time = 0; time < 2; time += 1) {
        expect(await Promise.all([read(), read(), read()])).toEqual([true, true, true]);
      }
    });

    it('gives the bytes of a range piece by piece', async () => {
      const { blobs, staging } = await make();
      const content = randomBytes(600_000);
      await blobs.put(KEY, (await stage(staging, content)).path);
      for (const [start, end] of [
        [5, 5],
        [262_143, 262_144],
        [1_000, 599_999],
      ] as const) {
        const copies: Buffer[] = [];
        for await (const piece of blobs.pieces(KEY, { start, end }))
          copies.push(Buffer.from(piece));
        expect(Buffer.concat(copies).equals(content.subarray(start, end + 1))).toBe(true);
      }
    });

    it('says that there are no pieces of an unknown key, and lets a reader stop early', async () => {
      const { blobs, staging } = await make();
      await expect(blobs.pieces(KEY)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: 'ENOENT',
      });
      await blobs.put(KEY, (await stage(staging, randomBytes(1_000_000))).path);
      for await (const piece of blobs.pieces(KEY)) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
    });

    it('reads a range with both ends included', async () => {
      const { blobs, staging } = await make();
      await blobs.put(KEY, (await stage(staging, Buffer.from('0123456789'))).path);
      expect(await buffer(blobs.read(KEY, { start: 2, end: 5 }))).toEqual(Buffer.from('2345'));
      expect(await buffer(blobs.read(KEY, { start: 9, end: 9 }))).toEqual(Buffer.from('9'));
    });

    it('keeps the first content of a key, whoever stores it again, even at once', async () => {
      const { blobs, staging } = await make();
      const content = randomBytes(50_000);
      const files = await Promise.all([1, 2, 3, 4].map(() => stage(staging, content)));
      await Promise.all(files.map((file) => blobs.put(KEY, file.path)));
      await blobs.put(KEY, (await stage(staging, content)).path);
      expect(await buffer(blobs.read(KEY))).toEqual(content);
      for (const { path } of files) await expect(access(path)).rejects.toThrow('ENOENT');
    });

    it('answers null and ENOENT for an unknown key, and deletes it in peace', async () => {
      const { blobs } = await make();
      expect(await blobs.size(KEY)).toBeNull();
      await expect(buffer(blobs.read(KEY))).rejects.toMatchObject({ code: 'ENOENT' });
      await blobs.delete(KEY);
    });

    it('tells when a blob was stored last, also when that was once more', async () => {
      const { blobs, staging } = await make();
      expect(await blobs.modifiedAt(KEY)).toBeNull();
      for (let time = 0; time < 2; time += 1) {
        const before = Date.now();
        await blobs.put(KEY, (await stage(staging, Buffer.from('same'))).path);
        const modifiedAt = await blobs.modifiedAt(KEY);
        // Stores may keep whole seconds only.
        expect(modifiedAt?.getTime()).toBeGreaterThan(before - 1_000);
        expect(modifiedAt?.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
      }
    });

    it('forgets a deleted blob', async () => {
      const { blobs, staging } = await make();
      await blobs.put(KEY, (await stage(staging, randomBytes(10))).path);
      await blobs.delete(KEY);
      expect(await blobs.size(KEY)).toBeNull();
      await expect(buffer(blobs.read(KEY))).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('lists keys in their order with the time of their storing, also from the middle on', async () => {
      const { blobs, staging } = await make();
      const keys = ['a/b.w256.webp', 'a/b/c', 'a/b/d', 'a/b0', 'b/a'];
      const before = Date.now();
      for (const key of keys.toReversed()) {
        await blobs.put(key, (await stage(staging, Buffer.from(key))).path);
      }
      const all = await Array.fromAsync(blobs.list());
      expect(all.map(({ key }) => key)).toEqual(keys);
      for (const { modifiedAt } of all) {
        // Stores may keep whole seconds only.
        expect(modifiedAt.getTime()).toBeGreaterThan(before - 1_000);
        expect(modifiedAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
      }
      for (const [index, after] of keys.entries()) {
        const rest = await Array.fromAsync(blobs.list({ after }), ({ key }) => key);
        expect(rest).toEqual(keys.slice(index + 1));
      }
      expect(await Array.fromAsync(blobs.list({ after: 'a/b/cc' }), ({ key }) => key)).toEqual(
        keys.slice(2),
      );
    });

    it('lists nothing of an empty store, and lets one who lists stop early', async () => {
      const { blobs, staging } = await make();
      expect(await Array.fromAsync(blobs.list())).toEqual([]);
      for (const key of [KEY, `${KEY}0`]) {
        await blobs.put(key, (await stage(staging, randomBytes(10))).path);
      }
      for await (const { key } of blobs.list()) {
        expect(key).toBe(KEY);
        break;
      }
    });

    it('stores nothing when the file is not there, and says so with a StorageError', async () => {
      const { blobs, staging } = await make();
      const file = await stage(staging, randomBytes(10));
      await blobs.put(KEY, file.path);
      await expect(blobs.put('owner/cd/cdef', file.path)).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
      });
      expect(await blobs.size('owner/cd/cdef')).toBeNull();
    });

    it.each([
      '../outside',
      'owner/../../outside',
      '/etc/hostname',
      'owner//ab',
      'owner/.hidden',
      'owner/a\0b',
      'owner\\ab',
      'owner/',
      '',
      'x'.repeat(600),
    ])('refuses the key %j in every operation', async (key) => {
      const { blobs, staging } = await make();
      const file = await stage(staging, Buffer.from('kept'));
      await expect(blobs.put(key, file.path)).rejects.toThrow(TypeError);
      expect(await readFile(file.path, 'utf8')).toBe('kept');
      await expect(blobs.size(key)).rejects.toThrow(TypeError);
      await expect(blobs.delete(key)).rejects.toThrow(TypeError);
      expect(() => blobs.read(key)).toThrow(TypeError);
    });
  });
}
