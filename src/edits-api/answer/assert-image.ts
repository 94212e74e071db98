import { sniffImage } from '../../images/inspect/image-format.ts';
import type { StagedFile } from '../../images/storage/staging.ts';
import { brokenAnswer } from './answer-errors.ts';

/**
 * Checks how a file starts; whether the rest is an image is for the one who decodes it.
 * @throws EditsApiError BROKEN_ANSWER
 */
export function assertImage({ head }: StagedFile): void {
  const sniffed = sniffImage(head);
  if (sniffed.format === null) {
    throw brokenAnswer(`An image in the response is ${sniffed.instead}, not PNG, JPEG or WebP.`);
  }
}
