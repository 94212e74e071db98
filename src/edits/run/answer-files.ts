import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_DIRECTORY } from '../../config/data-dir/private-directory.ts';

/** Read at once. */
const STEP_BYTES = 256 * 1024;

/**
 * The raw responses of upstreams, one file per attempt, from the first byte until the images are
 * stored. Those without a usable image move to the blob store: see StoredAnswers.
 */
export interface AnswerFiles {
  pathOf(attemptId: string): string;
  /** All of them, from the first. @throws ENOENT if there is no such file. */
  bytes(attemptId: string): AsyncIterable<Buffer>;
  /** Whether a byte of a response arrived. */
  hasBytes(attemptId: string): Promise<boolean>;
  remove(attemptId: string): Promise<void>;
  removeIfEmpty(attemptId: string): Promise<void>;
  /** The attempts whose files have not been written to for `idleMs`. */
  idle(idleMs: number): Promise<string[]>;
  /** Removes those older than `maxAgeMs`. Returns how many. */
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
