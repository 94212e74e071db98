/** A finished file in the staging directory: fully received, hashed, not yet owned by anybody. */
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
   * Takes the bytes over; they may be changed once this has resolved. Awaiting it is backpressure.
   * A write that fails may be told of by a later call, `finish` at the latest.
   */
  write(chunk: Uint8Array): Promise<void>;
  readonly bytes: number;
  finish(): Promise<StagedFile>;
  /** Removes the file. */
  discard(): Promise<void>;
}

/** The staging directory, beside the blobs so that a finished file can be renamed into place. */
export interface Staging {
  /** @throws StorageError when the disk refuses. */
  create(): Promise<StagingWriter>;
  /** Removes files older than `maxAgeMs`, which a killed process left behind. Answers how many. */
  sweep(maxAgeMs: number): Promise<number>;
  /**
   * Removes the files of other processes, by their `owner`, that are not among the living. Those are
   * asked for after the files were listed, so that one that has just begun is not overlooked.
   * Answers how many.
   */
  sweepAbandoned(living: () => Promise<ReadonlySet<string>>): Promise<number>;
}
