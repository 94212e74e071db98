import sharp from 'sharp';

/**
 * Process-wide settings, made once at start. libvips caches no decoded images (its cache holds up
 * to 50 MB and makes results depend on history) and uses `threads` threads per image.
 */
export function configureSharp({ threads }: { threads: number }): void {
  sharp.cache(false);
  sharp.concurrency(threads);
}
