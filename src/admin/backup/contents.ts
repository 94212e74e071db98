import { createReadStream } from 'node:fs';
import type { TableShape } from './table-rows.ts';

/** An image by its content. */
export interface ImageRef {
  readonly ownerId: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** A raw response: in DATA_DIR while it is received, then in the blob store. */
export interface AnswerRef {
  readonly attemptId: string;
  readonly place: 'received' | 'stored';
}

/**
 * Everything that a backup has, read from an installation or from a backup of it. What is read is of
 * one moment. One thing is read at a time; images may be read at once.
 */
export interface Contents {
  readonly createdAt: Date;
  readonly database: 'pglite' | 'postgres';
  readonly migrations: readonly { readonly name: string; readonly checksum: string }[];
  readonly tables: readonly (TableShape & { readonly rows: number })[];
  /** The secret key of DATA_DIR. Null: there is none, such as with SECRET_KEY. */
  readonly secretKey: string | null;
  /** Some rows at a time, see `readRows`. */
  rows(table: TableShape): AsyncIterable<readonly string[]>;
  images(): AsyncIterable<ImageRef>;
  /** @throws an error with code ENOENT if it is missing. */
  image(image: ImageRef): AsyncIterable<Uint8Array>;
  /** A local file with the image, if there is one. */
  imagePath?(image: ImageRef): string;
  /** Ends the moment: only images and answers can be read from now on. */
  endSnapshot?(): Promise<void>;
  answers(): AsyncIterable<AnswerRef>;
  /** @throws an error with code ENOENT if it has been removed. */
  answer(answer: AnswerRef): AsyncIterable<Uint8Array>;
}

/** Images that are copied at once. */
const CONCURRENCY = 8;

/** Calls `work` for each item, for at most CONCURRENCY of them at once. Rejects with the first error. */
export async function forEachOf<Item>(
  items: AsyncIterable<Item>,
  signal: AbortSignal,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  try {
    for await (const item of items) {
      signal.throwIfAborted();
      const one = work(item).finally(() => running.delete(one));
      // Awaited below.
      one.catch(() => {});
      running.add(one);
      if (running.size >= CONCURRENCY) await Promise.race(running);
    }
    await Promise.all(running);
  } finally {
    await Promise.allSettled(running);
  }
}

/**
 * The bytes of a file, which is opened when they are first read: an open stream that nobody reads yet
 * would end the process by its error.
 */
export async function* piecesOfFile(path: string): AsyncGenerator<Uint8Array, void> {
  yield* createReadStream(path);
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
