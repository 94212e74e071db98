import { createBase64Stream } from '../../../edits-api/answer/base64-stream.ts';
import { EditsApiError } from '../../../edits-api/edits-api-error.ts';
import { InvalidInputError } from '../../../errors.ts';
import { invalidValue } from './given-values.ts';

/** Longest `image/…;base64`. */
const MAX_HEAD_BYTES = 256;
const COMMA = 0x2c;

/**
 * The bytes of a `data:` URL (RFC 2397), decoded as its text arrives; valid until the next step. Its
 * media type is ignored.
 *
 * @param text What follows `data:`.
 * @throws InvalidInputError naming the field if it is not base64.
 */
export async function* decodeDataUrl(
  field: string,
  text: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  const base64 = createBase64Stream();
  let head: Buffer | null = Buffer.alloc(0);
  try {
    for await (const piece of text) {
      let data = piece;
      if (head !== null) {
        const comma = piece.indexOf(COMMA);
        head = Buffer.concat([head, comma === -1 ? piece : piece.subarray(0, comma)]);
        if (head.length > MAX_HEAD_BYTES) throw notBase64(field);
        if (comma === -1) continue;
        if (!/;\s*base64\s*$/i.test(head.toString('latin1'))) throw notBase64(field);
        head = null;
        data = piece.subarray(comma + 1);
      }
      yield* base64.decode(data);
    }
    if (head !== null) throw notBase64(field);
    yield* base64.end();
  } catch (error) {
    if (!(error instanceof EditsApiError)) throw error;
    throw new InvalidInputError(field, 'BROKEN_IMAGE', `${field} is not valid base64.`, {
      cause: error,
    });
  }
}

function notBase64(field: string): InvalidInputError {
  return invalidValue(field, `${field} must have the form data:image/png;base64,… .`);
}
