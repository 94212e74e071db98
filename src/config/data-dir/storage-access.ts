import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether what images and answers are kept in is there: a disk, a network's, an object store. */
export interface StorageAccess {
  /** Takes at most `timeoutMs`. False when a part is gone, refuses, or does not answer. */
  check(): Promise<boolean>;
}

export function createStorageAccess(options: {
  /** Each rejects unless its part of the storage can be used; aborted when nobody waits any more. */
  parts: readonly ((signal: AbortSignal) => Promise<void>)[];
  /** @default 2_000 // 2 seconds */
  timeoutMs?: number;
  /** Told why a look failed, once until one succeeds. */
  onGone?: (error: unknown) => void;
}): StorageAccess {
  const { parts, timeoutMs = 2_000, onGone = () => {} } = options;
  let isTold = false;
  let asking: Promise<boolean> | undefined;

  async function ask(): Promise<boolean> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      for (const use of parts) await use(signal);
      isTold = false;
      return true;
    } catch (error) {
      if (!isTold) onGone(signal.aborted ? signal.reason : error);
      isTold = true;
      return false;
    }
  }

  return {
    async check() {
      // One at a time, however often it is asked: one that hangs holds one of the few threads that
      // all work with files shares.
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      const answered = new AbortController();
      try {
        return await Promise.race([asking, delay(timeoutMs, false, { signal: answered.signal })]);
      } finally {
        answered.abort();
      }
    },
  };
}

/** Rejects unless there is such a directory, to be read and written. */
export function canUseDirectory(dir: string): Promise<void> {
  return access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
}

/** Rejects unless a file can be written there: the superuser may do so by its permissions always. */
export async function writeProbe(dir: string): Promise<void> {
  // Processes in containers that share the directory have one id.
  const path = join(dir, `.probe-${randomUUID()}`);
  await writeFile(path, 'probe\n');
  await rm(path);
}
