import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Whether the storage of images and raw responses is available: a disk, a network file system, an
 * object store.
 */
export interface StorageAccess {
  /** Takes at most `timeoutMs`. False if a part is missing, fails or does not respond. */
  check(): Promise<boolean>;
}

export function createStorageAccess(options: {
  /** Each rejects if its part is unavailable. The signal aborts when the caller stops waiting. */
  parts: readonly ((signal: AbortSignal) => Promise<void>)[];
  /** @default 2_000 // 2 seconds */
  timeoutMs?: number;
  /** Called with the reason of the first failure after a success. */
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
      // One check at a time: a check that hangs occupies one of the few threads of Node's file
      // operations.
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

/** Rejects unless the directory exists and can be read and written. */
export function canUseDirectory(dir: string): Promise<void> {
  return access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
}

/**
 * Rejects unless a file can be written. Permissions alone do not tell, as the superuser passes
 * them.
 */
export async function writeProbe(dir: string): Promise<void> {
  // Containers that share the directory may have the same process id.
  const path = join(dir, `.probe-${randomUUID()}`);
  await writeFile(path, 'probe\n');
  await rm(path);
}
