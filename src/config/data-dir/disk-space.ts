import { statfs } from 'node:fs/promises';

/** The disk that images and answers are kept on. */
export interface DiskSpace {
  /** Whether at least the minimum is free for this user. False too when the disk cannot be asked. */
  isEnough(): Promise<boolean>;
}

/** @param options.minFreeBytes 0: any is enough. */
export function createDiskSpace(options: { dir: string; minFreeBytes: number }): DiskSpace {
  const { dir, minFreeBytes } = options;
  return {
    async isEnough() {
      if (minFreeBytes === 0) return true;
      try {
        const { bavail, bsize } = await statfs(dir);
        return bavail * bsize >= minFreeBytes;
      } catch {
        return false;
      }
    },
  };
}
