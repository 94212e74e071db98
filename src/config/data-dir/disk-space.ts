import { statfs } from 'node:fs/promises';

/** The disk of the images and raw responses. */
export interface DiskSpace {
  /** Whether this user has at least the minimum free. False if the disk cannot be queried. */
  isEnough(): Promise<boolean>;
}

/** Bytes that this user may still write to the disk of a directory. */
export async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

/** @param options.minFreeBytes 0 accepts any amount. */
export function createDiskSpace(options: { dir: string; minFreeBytes: number }): DiskSpace {
  const { dir, minFreeBytes } = options;
  return {
    async isEnough() {
      if (minFreeBytes === 0) return true;
      try {
        return (await freeBytes(dir)) >= minFreeBytes;
      } catch {
        return false;
      }
    },
  };
}
