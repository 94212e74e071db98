import type { ImageFormat } from '../image-format.ts';
import { createPushParser, type PushParser } from './input.ts';
import { parseJpeg } from './jpeg.ts';
import { parsePng } from './png.ts';
import type { CheckHeader, ImageStructure } from './structure.ts';
import { parseWebp } from './webp.ts';

const PARSERS = { png: parsePng, jpeg: parseJpeg, webp: parseWebp } as const;

/**
 * Parses the structure of a file while it arrives. Nothing is decoded: each byte is visited once,
 * and at most 64 KiB are buffered.
 * @throws BrokenStructureError, AnimationError, and the errors of `checkHeader`.
 */
export function createImageParser(
  format: ImageFormat,
  checkHeader: CheckHeader = () => {},
): PushParser<ImageStructure> {
  return createPushParser((input) => PARSERS[format](input, checkHeader));
}
