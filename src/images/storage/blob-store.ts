import type { Readable } from 'node:stream';

/**
 * Stores the bytes of images. A store knows only keys and bytes, not owners or formats.
 *
 * Keys are relative POSIX paths made by `blobKey`, never client input. Every store passes the
 * contract suite, test/contracts/blob-store.ts.
 */
export interface BlobStore {
  /**
   * Stores a finished local file under `key` and removes it from `path`. Atomic: a reader sees the
   * whole blob or none. Storing an existing key does not change the blob (keys identify content)
   * but renews its time, so that a sweep of old blobs skips it. Once resolved, the blob survives a
   * power cut (fsync, or S3's acknowledgement).
   * @throws StorageError if the store fails; nothing is stored then.
   */
  put(key: string, path: string): Promise<void>;

  /**
   * Bytes `start` to `end`, both inclusive as in HTTP Range; all by default. Emits an error with
   * code ENOENT if the key does not exist, or StorageError if a remote store fails.
   */
  read(key: string, range?: { start: number; end: number }): Readable;

  /**
   * Like `read`, but yields pieces that are valid until the next one is requested: reusing their
   * memory avoids the garbage of a stream. Throws the errors of `read`.
   */
  pieces(key: string, range?: { start: number; end: number }): AsyncIterable<Uint8Array>;

  /** Size in bytes; null if the key does not exist. */
  size(key: string): Promise<number | null>;

  /** Time of the last `put`, by the store's clock; null if the key does not exist. */
  modifiedAt(key: string): Promise<Date | null>;

  /**
   * Stores the content of `from` under `to`, too, as atomic and durable as `put`. Renews the time of
   * `to`, perhaps also that of `from`. Returns false if `from` does not exist.
   * @throws StorageError
   */
  copy(from: string, to: string): Promise<boolean>;

  /** No-op if the key does not exist. */
  delete(key: string): Promise<void>;

  /**
   * The keys after `after`, or all keys, in character order, with the time of their last `put`.
   * Reads in batches. Concurrent changes may be included or not.
   * @throws StorageError
   */
  list(options?: { after?: string }): AsyncIterable<BlobEntry>;

  /**
   * Checks that images can be stored and read.
   * @throws StorageError with the reason if not, or when aborted.
   */
  check(signal?: AbortSignal): Promise<void>;

  /** A local file with the blob's content, which must only be read; absent if there is none. */
  localPath?(key: string): string;
}

export interface BlobEntry {
  readonly key: string;
  /** By the store's clock. */
  readonly modifiedAt: Date;
}
