import sharp from 'sharp';

/**
 * Settings of the whole process, made once by the app at start. libvips keeps no decoded images
 * (its cache holds up to 50 MB and makes answers depend on history), and one image is worked on
 * by `threads` threads.
 */
export function configureSharp({ threads }: { threads: number }): void {
  sharp.cache(false);
  sharp.concurrency(threads);
}
