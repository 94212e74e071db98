import type { Readable } from 'node:stream';

/**
 * Where the bytes of images live. A store knows keys and bytes only: no owners, no formats.
 *
 * Keys are relative POSIX paths made by `blobKey`, never a client's words. Every store passes the
 * one contract suite, test/contracts/blob-store.ts.
 */
export interface BlobStore {
  /**
   * Takes a finished local file over under `key`; the file is gone from `path` afterwards. Atomic:
   * a reader sees the whole blob or none. Storing a key again changes nothing of the blob (keys name
   * content) but makes it as young as a new one, so that a sweep of old blobs leaves it alone.
   * Once this has resolved, the blob outlasts a power cut (a disk's fsync, or S3's word).
   * @throws StorageError when the disk or the remote store refuses; nothing is kept then.
   */
  put(key: string, path: string): Promise<void>;

  /**
   * Bytes `start` to `end`, both inclusive as in HTTP Range; all of them by default.
   * Emits an error with code ENOENT when the key is unknown; a remote store's failure as StorageError.
   */
  read(key: string, range?: { start: number; end: number }): Readable;

  /**
   * Bytes as `read` has them, piece by piece. A piece is valid until the next one is asked for: its
   * memory is used again, where a stream would leave a large image's worth of garbage behind.
   * Throws as `read` does.
   */
  pieces(key: string, range?: { start: number; end: number }): AsyncIterable<Uint8Array>;

  /** Size in bytes, or null when the key is unknown. */
  size(key: string): Promise<number | null>;

  /** When it was last `put`, by the store's own clock; null when the key is unknown. */
  modifiedAt(key: string): Promise<Date | null>;

  /** Removing an unknown key is a no-op. */
  delete(key: string): Promise<void>;

  /**
   * The keys after `after`, or all, in the order of their characters, with the time of their last
   * `put`. Read bit by bit, never all at once; what is stored or deleted meanwhile may be there or not.
   * @throws StorageError
   */
  list(options?: { after?: string }): AsyncIterable<BlobEntry>;

  /**
   * Whether images can be stored and read at the moment, as far as a look can tell.
   * @throws StorageError when not, with the reason, or when aborted.
   */
  check(signal?: AbortSignal): Promise<void>;

  /** A local file that holds the blob and must only be read; absent where there is none. */
  localPath?(key: string): string;
}

export interface BlobEntry {
  readonly key: string;
  /** By the store's own clock. */
  readonly modifiedAt: Date;
}
