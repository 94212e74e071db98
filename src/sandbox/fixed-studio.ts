import { randomBytes } from 'node:crypto';
import { sharp } from '../images/sharp.ts';
import { encodedImage, type Studio } from './studio.ts';

/**
 * Returns one PNG of about `bytes` bytes of noise for every edit, without reading the inputs: for
 * benchmarks, which measure the caller. Noise cannot be compressed in transit.
 */
export async function createFixedStudio(options: { bytes: number }): Promise<Studio> {
  const side = Math.max(1, Math.round(Math.sqrt(options.bytes / 3)));
  const size = { width: side, height: side };
  const png = await sharp(randomBytes(side * side * 3), { raw: { ...size, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer();
  const image = encodedImage(png);
  return {
    keepsBytes: false,
    inspect: async (files) => files.images.map(() => ({ width: 1_024, height: 1_024 })),
    open: async () => ({ size, image: async () => image, partial: async () => image }),
  };
}
