import { UnreadableBodyError } from '../../../errors.ts';
import { createFileBody, type FileBody } from './file-body.ts';
import { type PartHeader, parsePartHeader } from './part-header.ts';
import type { RequestBody } from './request-body.ts';

export interface FormPart {
  readonly header: PartHeader;
  readonly body: FileBody;
}

/** Names occur in messages. */
const MAX_NAME_CHARACTERS = 256;
const MAX_HEADER_BYTES = 16 * 1024;
const SEAM_BYTES = 1024;
const CR = 0x0d;
const CRLF = Buffer.from('\r\n');
const END_OF_HEADER = Buffer.from('\r\n\r\n');

/**
 * Reads the parts of a multipart/form-data body (RFC 7578) one after the other, at the pace of their
 * reader. Unlike busboy, it tells by more than the file name whether a part is a file, and reports
 * where the form is wrong. What follows the last boundary is ignored.
 *
 * `next` skips what is left of the part before, and returns null at the end of the form.
 *
 * @throws UnreadableBodyError if the form is malformed or ends early.
 */
export function createFormReader(
  body: Pick<RequestBody, 'next'>,
  options: { boundary: string; maxParts: number },
): { next(): Promise<FormPart | null> } {
  const delimiter = Buffer.from(`\r\n--${options.boundary}`);
  // The first boundary may come without a line break before it.
  let rest: Buffer = CRLF;
  /** What follows `rest`. */
  let ahead: Buffer | null = null;
  let part: FileBody = createFileBody(() => readTo(delimiter));
  let parts = 0;

  async function readMore(): Promise<void> {
    const chunk: Buffer | null = ahead ?? (await body.next());
    if (chunk === null) throw malformed('it ends before its last boundary');
    // A few bytes tell what the rest is; the whole chunk would be copied for them.
    const bytes = rest.length === 0 ? chunk.length : Math.min(chunk.length, SEAM_BYTES);
    ahead = bytes < chunk.length ? chunk.subarray(bytes) : null;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk.subarray(0, bytes)]);
  }

  function take(bytes: number): Buffer {
    const taken = rest.subarray(0, bytes);
    rest = rest.subarray(bytes);
    return taken;
  }

  /** The next bytes before `mark`; null when it is next, which is consumed. */
  async function readTo(mark: Buffer): Promise<Buffer | null> {
    for (;;) {
      const at = rest.indexOf(mark);
      if (at === 0) {
        take(mark.length);
        return null;
      }
      // The mark may begin in the last bytes. Every mark begins with CR.
      const tail = Math.max(0, rest.length - mark.length + 1);
      const cr = at === -1 ? rest.indexOf(CR, tail) : at;
      const end = cr === -1 ? rest.length : cr;
      if (end > 0) return take(end);
      await readMore();
    }
  }

  async function readText(mark: Buffer, maxBytes: number, what: string): Promise<string> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for (let piece = await readTo(mark); piece !== null; piece = await readTo(mark)) {
      bytes += piece.length;
      if (bytes > maxBytes) throw malformed(`${what} has more than ${maxBytes} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString();
  }

  return {
    async next() {
      await part.skip();
      while (rest.length < 2) await readMore();
      if (rest.subarray(0, 2).equals(DASHES)) return null;
      if ((await readText(CRLF, MAX_PADDING_BYTES, 'a boundary')).trim() !== '') {
        throw malformed('a boundary is followed by other text');
      }
      parts += 1;
      if (parts > options.maxParts) throw malformed(`it has more than ${options.maxParts} parts`);
      // A part without any header ends it at once.
      rest = Buffer.concat([CRLF, rest]);
      const header = parsePartHeader(
        await readText(END_OF_HEADER, MAX_HEADER_BYTES, 'the header of a part'),
      );
      if (header === null) throw malformed('a part names no field');
      if (header.name.length > MAX_NAME_CHARACTERS) {
        throw malformed(`the name of a field has more than ${MAX_NAME_CHARACTERS} characters`);
      }
      part = createFileBody(() => readTo(delimiter));
      return { header, body: part };
    },
  };
}

const DASHES = Buffer.from('--');
const MAX_PADDING_BYTES = 256;

function malformed(reason: string): UnreadableBodyError {
  return new UnreadableBodyError(`The multipart body is malformed: ${reason}.`);
}
