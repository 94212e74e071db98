import { EditErrorCode } from '../edit-error-codes.ts';
import type { EditsApiAnswer } from '../edits-api/edits-api.ts';
import { EditsApiError, InvalidInputError } from '../errors.ts';
import { discardStagedFile } from '../images/fs-staging.ts';
import type { ReceivedImage } from '../images/images.ts';
import { inspectImage } from '../images/inspect-image.ts';

/** Of a picture that the edits API made. */
export const MAX_OUTPUT_PIXELS = 100_000_000;

/**
 * Looks at the pictures of an answer as at anybody's.
 * @throws EditsApiError (BROKEN_ANSWER, unknown) when one is not a whole picture; all are discarded
 * then.
 */
export async function inspectOutputs(answer: EditsApiAnswer): Promise<ReceivedImage[]> {
  try {
    return await Promise.all(
      answer.images.map(async (staged, index) => ({
        staged,
        facts: await inspectImage(staged, {
          field: `data[${index}]`,
          maxPixels: MAX_OUTPUT_PIXELS,
        }),
      })),
    );
  } catch (error) {
    await Promise.all(answer.images.map(discardStagedFile));
    if (!(error instanceof InvalidInputError)) throw error;
    const { httpStatus, upstreamRequestId } = answer;
    throw new EditsApiError(
      EditErrorCode.BROKEN_ANSWER,
      'unknown',
      `The edits API answered with a picture that cannot be used: ${error.message}`,
      { httpStatus, upstreamRequestId, cause: error },
    );
  }
}
