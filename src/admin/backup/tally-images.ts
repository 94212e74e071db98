import type { Progress } from '../progress.ts';
import { forEachOf, type ImageRef } from './contents.ts';

export interface TalliedImages {
  /** Without a fault. */
  readonly images: number;
  readonly bytes: number;
  /** One sentence each. */
  readonly faults: readonly string[];
}

/**
 * Calls `check` for each image, several at once, counts them and reports how far it is.
 * @param options.check Returns what is wrong with an image, null if nothing is, or undefined if it is
 *   not to be counted.
 */
export async function tallyImages<Image extends ImageRef>(options: {
  images: AsyncIterable<Image>;
  /** As far as known. */
  total: number;
  check: (image: Image) => Promise<string | null | undefined>;
  progress: Progress;
  signal: AbortSignal;
}): Promise<TalliedImages> {
  const { total, check, progress, signal } = options;
  const faults: string[] = [];
  let [images, bytes, done] = [0, 0, 0];
  await forEachOf(options.images, signal, async (image) => {
    const fault = await check(image);
    if (fault === null) {
      images += 1;
      bytes += image.bytes;
    } else if (fault !== undefined) faults.push(fault);
    done += 1;
    progress('images', done, Math.max(done, total));
  });
  return { images, bytes, faults };
}
