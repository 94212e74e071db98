import type { BlobStore } from './blob-store.ts';

/** Nearly all thumbnails are smaller. */
const MAX_BLOB_BYTES = 128 * 1024;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Small blobs that were read last, in memory: thumbnails above all. Blobs never change. Whether they
 * may be read is decided before, by their rows.
 */
export interface SmallBlobs {
  /** The blob, if it is in memory. */
  get(key: string): Buffer | undefined;
  /** Whether `read` takes a blob of so many bytes. */
  takes(bytes: number): boolean;
  /** Reads a whole blob and keeps it. Rejects as `BlobStore.read` does. */
  read(key: string): Promise<Buffer>;
}

/** Concurrent reads of a blob share one. Those that were not read for longest go first. */
export function createSmallBlobs(options: {
  blobs: Pick<BlobStore, 'read'>;
  /** @default 131_072 // 128 KiB */
  maxBlobBytes?: number;
  /** @default 16_777_216 // 16 MiB */
  maxBytes?: number;
}): SmallBlobs {
  const { blobs, maxBlobBytes = MAX_BLOB_BYTES, maxBytes = MAX_BYTES } = options;
  /** Read longest ago first. */
  const kept = new Map<string, Buffer>();
  const reading = new Map<string, Promise<Buffer>>();
  let bytes = 0;

  function keep(key: string, blob: Buffer): void {
    kept.set(key, blob);
    bytes += blob.length;
    for (const [oldest, { length }] of kept) {
      if (bytes <= maxBytes) return;
      kept.delete(oldest);
      bytes -= length;
    }
  }

  async function load(key: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of blobs.read(key)) chunks.push(chunk);
    const blob = Buffer.concat(chunks);
    keep(key, blob);
    return blob;
  }

  return {
    get(key) {
      const blob = kept.get(key);
      if (blob === undefined) return undefined;
      kept.delete(key);
      kept.set(key, blob);
      return blob;
    },
    takes: (size) => size <= maxBlobBytes,
    read(key) {
      const under = reading.get(key);
      if (under !== undefined) return under;
      const read = load(key).finally(() => reading.delete(key));
      reading.set(key, read);
      return read;
    },
  };
}
