import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether the directories of DATA_DIR are there: a file system of the network's may go away. */
export interface StorageAccess {
  /** Takes at most `timeoutMs`. False when one is gone, cannot be written to, or does not answer. */
  check(): Promise<boolean>;
}

export function createStorageAccess(options: {
  dirs: readonly string[];
  /** @default 2_000 // 2 seconds */
  timeoutMs?: number;
  /** Rejects unless a directory can be used. @default by access(2) */
  use?: (dir: string) => Promise<void>;
}): StorageAccess {
  const { dirs, timeoutMs = 2_000, use = canReadAndWrite } = options;
  let asking: Promise<boolean> | undefined;

  async function ask(): Promise<boolean> {
    try {
      for (const dir of dirs) await use(dir);
      return true;
    } catch {
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

function canReadAndWrite(dir: string): Promise<void> {
  return access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
}
