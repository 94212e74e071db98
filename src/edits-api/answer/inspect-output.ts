import { InvalidInputError } from '../../errors.ts';
import type { ReceivedImage } from '../../images/images.ts';
import { inspectImage } from '../../images/inspect/inspect-image.ts';
import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { StagedFile } from '../../images/storage/staging.ts';
import { brokenAnswer } from './answer-errors.ts';

/** Pixel limit of an output image. */
export const MAX_OUTPUT_PIXELS = 100_000_000;

/**
 * Inspects an output image like any other. Removes it if it is incomplete or not in a format that
 * we store.
 * @throws EditsApiError BROKEN_ANSWER
 */
export async function inspectOutput(staged: StagedFile): Promise<ReceivedImage> {
  try {
    const field = 'An image in the response';
    return { staged, facts: await inspectImage(staged, { field, maxPixels: MAX_OUTPUT_PIXELS }) };
  } catch (error) {
    await discardStagedFile(staged);
    if (error instanceof InvalidInputError) throw brokenAnswer(error.message, error);
    throw error;
  }
}
