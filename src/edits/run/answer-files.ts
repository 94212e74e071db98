import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_DIRECTORY } from '../../config/data-dir/private-directory.ts';

/** Read at once, in bytes. */
const STEP_BYTES = 256 * 1024;

/**
 * The raw answers of the edits API, one file per attempt, from the first byte until its pictures are
 * stored. What was of no use goes to the blob store: see StoredAnswers.
 */
export interface AnswerFiles {
  pathOf(attemptId: string): string;
  /** From the first one on. Throws ENOENT when there is no such file. */
  bytes(attemptId: string): AsyncIterable<Buffer>;
  /** Whether anything of an answer came. */
  hasBytes(attemptId: string): Promise<boolean>;
  remove(attemptId: string): Promise<void>;
  /** There is nothing to look at in an empty one. */
  removeIfEmpty(attemptId: string): Promise<void>;
  /** The attempts whose files nobody has written to for `idleMs`. */
  idle(idleMs: number): Promise<string[]>;
  /** Removes those older than `maxAgeMs`. Answers how many. */
  sweep(maxAgeMs: number): Promise<number>;
}

export function createAnswerFiles({ dir }: { dir: string }): AnswerFiles {
  const pathOf = (attemptId: string) => join(dir, attemptId);
  const remove = (attemptId: string) => rm(pathOf(attemptId), { force: true });

  async function hasBytes(attemptId: string): Promise<boolean> {
    const found = await stat(pathOf(attemptId)).catch(() => null);
    return found !== null && found.size > 0;
  }

  async function idle(idleMs: number): Promise<string[]> {
    await mkdir(dir, { recursive: true, mode: PRIVATE_DIRECTORY });
    const latestMs = Date.now() - idleMs;
    const names: string[] = [];
    for (const name of await readdir(dir)) {
      const found = await stat(pathOf(name)).catch(() => null);
      if (found?.isFile() && found.mtimeMs <= latestMs) names.push(name);
    }
    return names;
  }

  return {
    pathOf,
    bytes: (attemptId) => createReadStream(pathOf(attemptId), { highWaterMark: STEP_BYTES }),
    hasBytes,
    remove,
    async removeIfEmpty(attemptId) {
      if (!(await hasBytes(attemptId))) await remove(attemptId);
    },
    idle,
    async sweep(maxAgeMs) {
      const names = await idle(maxAgeMs);
      for (const name of names) await remove(name);
      return names.length;
    },
  };
}
