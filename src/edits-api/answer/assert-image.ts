import { sniffImage } from '../../images/inspect/image-format.ts';
import type { StagedFile } from '../../images/storage/staging.ts';
import { brokenAnswer } from './answer-errors.ts';

/**
 * Checks the first bytes of a file; the decoder validates the rest.
 * @throws EditsApiError BROKEN_ANSWER
 */
export function assertImage({ head }: StagedFile): void {
  const sniffed = sniffImage(head);
  if (sniffed.format === null) {
    throw brokenAnswer(`An image in the response is ${sniffed.instead}, not PNG, JPEG or WebP.`);
  }
}
