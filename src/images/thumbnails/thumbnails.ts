import { access } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { UnavailableError } from '../../errors.ts';
import { parseImageKey, thumbnailKey } from '../storage/blob-key.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { discardStagedFile } from '../storage/fs-staging.ts';
import type { StagedFile, Staging } from '../storage/staging.ts';
import { createFairQueue } from './fair-queue.ts';
import type { ThumbnailWidth } from './thumbnail-width.ts';

export interface Thumbnail {
  readonly key: string;
  readonly bytes: number;
}

export interface Thumbnails {
  /**
   * Returns the WebP thumbnail of a stored image: upright, at most `width` pixels wide, never
   * enlarged. The first call makes it and stores it as a blob; concurrent calls share the work.
   * Null if the image cannot be decoded, or needs more than `MAX_DECODER_BYTES` of memory.
   * @throws StorageError; an error with code ENOENT if the image does not exist; UnavailableError
   *   after `stop`, or if `maxWaiting` others wait.
   */
  make(sourceKey: string, width: ThumbnailWidth): Promise<Thumbnail | null>;
  /**
   * Returns the ThumbHash (https://evanw.github.io/thumbhash/), about 25 bytes; otherwise like
   * `make`.
   */
  thumbHash(sourceKey: string): Promise<Buffer | null>;
  /** Waits for running calls and starts no others. */
  stop(): Promise<void>;
}

/** The gallery's width, which is made anyway. */
const THUMB_HASH_SOURCE_WIDTH = 256;

export function createThumbnails({
  blobs,
  staging,
  maxPixels,
  maxWaiting = 1_000,
}: {
  blobs: BlobStore;
  staging: Staging;
  /** Larger images have no thumbnail, because decoding them costs too much. */
  maxPixels: number;
  /**
   * Maximum number of waiting calls. One image is decoded at a time, by one of libuv's four
   * threads.
   */
  maxWaiting?: number;
}): Thumbnails {
  const underWay = new Map<string, Promise<Thumbnail | null>>();
  const queue = createFairQueue();
  let isStopping = false;

  /**
   * One at a time; the owners of the images are served in turn. A full line still takes the first
   * one of an owner.
   */
  async function inTurn<T>(sourceKey: string, work: () => Promise<T>): Promise<T> {
    const owner = parseImageKey(sourceKey)?.owner ?? '';
    if (queue.waiting >= maxWaiting && queue.waitingOf(owner) > 0) {
      throw new UnavailableError('Too many thumbnails are being made. Try again.', 1);
    }
    return queue.run(owner, work);
  }

  function make(sourceKey: string, width: ThumbnailWidth): Promise<Thumbnail | null> {
    const key = thumbnailKey(sourceKey, width);
    const shared = underWay.get(key);
    if (shared) return shared;
    const mine = findOrMake(key, sourceKey, width).finally(() => underWay.delete(key));
    underWay.set(key, mine);
    return mine;
  }

  async function findOrMake(
    key: string,
    sourceKey: string,
    width: ThumbnailWidth,
  ): Promise<Thumbnail | null> {
    const bytes = await blobs.size(key);
    if (bytes !== null) return { key, bytes };
    return inTurn(sourceKey, async () => {
      if (isStopping) throw new UnavailableError('The service is shutting down. Try again.', 1);
      const { shrink } = await loadDecoder();
      const made = await withLocalFile(sourceKey, (path) => shrink(path, width, maxPixels));
      if (!made) return null;
      await store(key, made);
      // Deleted while it was decoded, so its thumbnail must not remain.
      if ((await blobs.size(sourceKey)) === null) {
        await blobs.delete(key);
        throw Object.assign(new Error(`${sourceKey} is gone`), { code: 'ENOENT' });
      }
      return { key, bytes: made.length };
    });
  }

  async function store(key: string, content: Buffer): Promise<void> {
    const file = await stage(async function* () {
      yield content;
    });
    try {
      await blobs.put(key, file.path);
    } catch (error) {
      await discardStagedFile(file);
      throw error;
    }
  }

  /** libvips reads a file in pieces; sharp would collect the whole image from a stream first. */
  async function withLocalFile<T>(key: string, use: (path: string) => Promise<T>): Promise<T> {
    const path = blobs.localPath?.(key);
    if (path !== undefined) {
      await access(path);
      return use(path);
    }
    const copy = await stage(() => blobs.pieces(key));
    try {
      return await use(copy.path);
    } finally {
      await discardStagedFile(copy);
    }
  }

  async function stage(open: () => AsyncIterable<Uint8Array>): Promise<StagedFile> {
    const writer = await staging.create();
    try {
      for await (const chunk of open()) await writer.write(chunk);
      return await writer.finish();
    } catch (error) {
      await writer.discard();
      throw error;
    }
  }

  async function thumbHash(sourceKey: string): Promise<Buffer | null> {
    const small = await make(sourceKey, THUMB_HASH_SOURCE_WIDTH);
    if (small === null) return null;
    const content = await readAll(blobs, small.key);
    return inTurn(sourceKey, async () => (await loadDecoder()).hash(content));
  }

  return {
    make,
    thumbHash,
    async stop() {
      isStopping = true;
      await Promise.allSettled(underWay.values());
    },
  };
}

/** Its library takes 12 MB, for which a process that makes no thumbnail has no use. */
function loadDecoder() {
  return import('./shrink.ts');
}

async function readAll(blobs: BlobStore, key: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(blobs.read(key), async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}
