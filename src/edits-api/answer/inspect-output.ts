import { InvalidInputError } from '../../errors.ts';
import type { ReceivedImage } from '../../images/images.ts';
import { inspectImage } from '../../images/inspect/inspect-image.ts';
import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { StagedFile } from '../../images/storage/staging.ts';
import { brokenAnswer } from './answer-errors.ts';

/** Of an image that the edits API made. */
export const MAX_OUTPUT_PIXELS = 100_000_000;

/**
 * Looks at an image of an answer as at anybody's. One that is not whole, or not of a format that we
 * store, is removed.
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
