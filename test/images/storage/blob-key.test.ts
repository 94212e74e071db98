import { expect, it } from 'vitest';
import { blobKey, thumbnailKey } from '../../../src/images/storage/blob-key.ts';

const sha256 = 'ab'.repeat(32);

it('gives one owner one key per content, and two owners different ones', () => {
  const mine = blobKey({ ownerId: 'me', sha256 });
  expect(blobKey({ ownerId: 'me', sha256 })).toBe(mine);
  expect(blobKey({ ownerId: 'you', sha256 })).not.toBe(mine);
  expect(blobKey({ ownerId: 'me', sha256: 'cd'.repeat(32) })).not.toBe(mine);
});

it.each(['../../etc/passwd', 'a/b', 'A\0B', '', '汉字', 'x'.repeat(10_000)])(
  'keeps the owner id %j out of the path',
  (ownerId) => {
    expect(blobKey({ ownerId, sha256 })).toMatch(/^[0-9a-f]{32}\/ab\/(ab){32}$/);
  },
);

it('refuses a hash that is not one', () => {
  expect(() => blobKey({ ownerId: 'me', sha256: '../x' })).toThrow(TypeError);
  expect(() => blobKey({ ownerId: 'me', sha256: sha256.toUpperCase() })).toThrow(TypeError);
});

it('puts each thumbnail beside its source', () => {
  const key = blobKey({ ownerId: 'me', sha256 });
  expect(thumbnailKey(key, 256)).toBe(`${key}.w256.webp`);
});
