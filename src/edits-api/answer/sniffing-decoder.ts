import { SNIFF_BYTES, sniffImage } from '../../images/inspect/image-format.ts';
import type { Staging } from '../../images/storage/staging.ts';
import type { OnPartialImage } from '../edits-api.ts';
import type { AnswerDecoder, AnswerLimits } from './answer-decoder.ts';
import { createEventStreamDecoder } from './event-stream-decoder.ts';
import { createImageAnswerDecoder } from './image-answer-decoder.ts';
import { createJsonAnswerDecoder } from './json-answer-decoder.ts';

/** How an event stream begins, after blanks and comments. */
const EVENT_STREAM = /^(event|data|id|retry):/;
/** It might still become one. */
const UNDECIDED = /^(e|ev|eve|even|event|d|da|dat|data|i|id|r|re|ret|retr|retry)?$/;
/** How images begin, and byte order marks. */
const MAYBE_IMAGE = /^[\u0089\u00ffR\u00ef]/;
/** Blanks, byte order marks and comments of event streams before an answer: signs of life. */
const PRELUDE = /^(?:\s|\u00ef\u00bb\u00bf|:[^\r\n]*[\r\n])+/;
/** A comment of which the end is missing. */
const OPEN_COMMENT = /^:[^\r\n]*$/;

/**
 * Reads any kind of answer, told apart by its first bytes and not by its content type: a server
 * may ignore `stream` or mislabel what it sends. What may stand before is passed over, however long.
 * So an answer is read in the same way when it comes and when it is read again.
 */
export function createSniffingDecoder(options: {
  staging: Staging;
  limits: AnswerLimits;
  expectedImages: number;
  onPartialImage?: OnPartialImage | undefined;
}): AnswerDecoder {
  let head = Buffer.alloc(0);
  let decoder: AnswerDecoder | null = null;

  function decide(isWhole: boolean): AnswerDecoder | null {
    const text = head.toString('latin1');
    const prelude = PRELUDE.exec(text)?.[0].length ?? 0;
    const start = text.slice(prelude);
    // A long comment is kept at its first byte only: what it says does not matter.
    const isComment = OPEN_COMMENT.test(start);
    head = isComment ? Buffer.from(':') : head.subarray(prelude);
    if (!isWhole && (isComment || head.length === 0)) return null;
    if (sniffImage(head).format !== null) return createImageAnswerDecoder(options);
    if (EVENT_STREAM.test(start) || isComment) return createEventStreamDecoder(options);
    const isOpen = UNDECIDED.test(start) || MAYBE_IMAGE.test(start);
    if (!isWhole && isOpen && head.length < SNIFF_BYTES) return null;
    return createJsonAnswerDecoder(options);
  }

  return {
    async write(chunk) {
      if (decoder !== null) return decoder.write(chunk);
      head = Buffer.concat([head, chunk]);
      decoder = decide(false);
      await decoder?.write(head);
    },
    get state() {
      return decoder?.state ?? 'more';
    },
    async end(how) {
      if (decoder === null) {
        decoder = decide(true) ?? createJsonAnswerDecoder(options);
        await decoder.write(head);
      }
      return decoder.end(how);
    },
    async discard() {
      await decoder?.discard();
    },
  };
}
