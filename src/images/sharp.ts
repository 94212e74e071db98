import sharp from 'sharp';

export { sharp };

/**
 * Settings of the whole process. libvips caches no decoded images (its cache holds up to 50 MB and
 * makes results depend on history) and uses one thread per image.
 *
 * Import() what imports this: it takes 12 MB and 60 ms, and many processes never decode an image.
 */
sharp.cache(false);
sharp.concurrency(1);
