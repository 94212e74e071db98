/** A finished file in the staging directory: complete and hashed, but not yet stored. */
export interface StagedFile {
  /** Absolute path. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** The first bytes (up to 64), for sniffing. */
  readonly head: Buffer;
}

/** A file being received. Exactly one of `finish` and `discard` ends it; both are idempotent. */
export interface StagingWriter {
  /**
   * The caller may reuse the bytes once this has resolved. Await it for backpressure. A failed
   * write may surface in a later call, at the latest in `finish`.
   */
  write(chunk: Uint8Array): Promise<void>;
  readonly bytes: number;
  finish(): Promise<StagedFile>;
  /** Removes the file. */
  discard(): Promise<void>;
}

/** The staging directory, next to the blobs so that a finished file can be renamed into place. */
export interface Staging {
  /** @throws StorageError if the disk fails. */
  create(): Promise<StagingWriter>;
  /** Removes files older than `maxAgeMs`, left by killed processes. Returns their number. */
  sweep(maxAgeMs: number): Promise<number>;
  /**
   * Removes the files of processes that have ended, by their `owner`. `running` is called after the
   * files were listed, so that a process that has just started is not missed. Returns their number.
   */
  sweepAbandoned(running: () => Promise<ReadonlySet<string>>): Promise<number>;
}
