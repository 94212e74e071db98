import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_DIRECTORY } from '../private-directory.ts';

/**
 * The raw answers of the edits API, one file per attempt, from the first byte until its pictures are
 * stored. What was of no use stays for a look.
 */
export interface AnswerFiles {
  pathOf(attemptId: string): string;
  /** Whether anything of an answer came. */
  hasBytes(attemptId: string): Promise<boolean>;
  remove(attemptId: string): Promise<void>;
  /** There is nothing to look at in an empty one. */
  removeIfEmpty(attemptId: string): Promise<void>;
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

  return {
    pathOf,
    hasBytes,
    remove,
    async removeIfEmpty(attemptId) {
      if (!(await hasBytes(attemptId))) await remove(attemptId);
    },
    async sweep(maxAgeMs) {
      await mkdir(dir, { recursive: true, mode: PRIVATE_DIRECTORY });
      const oldestMs = Date.now() - maxAgeMs;
      let removed = 0;
      for (const name of await readdir(dir)) {
        const found = await stat(pathOf(name)).catch(() => null);
        if (!found?.isFile() || found.mtimeMs > oldestMs) continue;
        await remove(name);
        removed += 1;
      }
      return removed;
    },
  };
}
