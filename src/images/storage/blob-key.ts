import { createHash } from 'node:crypto';
import type { ThumbnailWidth } from '../thumbnails/thumbnail-width.ts';

const SHA256_HEX = /^[0-9a-f]{64}$/;

/**
 * The key of an owner's image: `<owner>/<first 2 hex>/<sha256>`. Equal images of one owner share a
 * blob; images of two owners never do. The owner is hashed, so that any id is safe in a path, and
 * the 2 hex digits keep directories small.
 */
export function blobKey({ ownerId, sha256 }: { ownerId: string; sha256: string }): string {
  if (!SHA256_HEX.test(sha256))
    throw new TypeError('A blob name must be 64 lower-case hex digits.');
  return `${ownerSegment(ownerId)}/${sha256.slice(0, 2)}/${sha256}`;
}

/** The first segment of the keys of an owner's images. */
export function ownerSegment(ownerId: string): string {
  return createHash('sha256').update(ownerId).digest('hex').slice(0, 32);
}

const IMAGE_KEY = /^([0-9a-f]{32})\/([0-9a-f]{2})\/(\2[0-9a-f]{62})(\.w\d+\.webp)?$/;

/** Parses the key of an image or of its thumbnail; null for any other key. */
export function parseImageKey(
  key: string,
): { owner: string; sha256: string; source: string } | null {
  const [, owner, directory, sha256] = IMAGE_KEY.exec(key) ?? [];
  if (owner === undefined || sha256 === undefined) return null;
  return { owner, sha256, source: `${owner}/${directory}/${sha256}` };
}

/** The key of a thumbnail, next to its source. */
export function thumbnailKey(sourceKey: string, width: ThumbnailWidth): string {
  return `${sourceKey}.w${width}.webp`;
}

/** Segments begin with a letter or digit: no `..`, hidden files, absolute paths or NUL. */
const KEY = /^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/;
const MAX_KEY_LENGTH = 512;

/** Whether a store accepts the key. */
export function isBlobKey(key: string): boolean {
  return key.length <= MAX_KEY_LENGTH && KEY.test(key);
}

/** @throws TypeError if it is not a valid key. */
export function checkBlobKey(key: string): void {
  if (!isBlobKey(key)) throw new TypeError(`Not a blob key: ${JSON.stringify(key.slice(0, 80))}`);
}
