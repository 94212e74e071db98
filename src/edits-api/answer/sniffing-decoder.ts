import { SNIFF_BYTES, sniffImage } from '../../images/inspect/image-format.ts';
import type { Staging } from '../../images/storage/staging.ts';
import type { OnPartialImage } from '../edits-api.ts';
import type { AnswerDecoder, AnswerLimits } from './answer-decoder.ts';
import { createEventStreamDecoder } from './event-stream-decoder.ts';
import { createImageAnswerDecoder } from './image-answer-decoder.ts';
import { createJsonAnswerDecoder } from './json-answer-decoder.ts';

/** How an event stream begins, after white space and comments. */
const EVENT_STREAM = /^(event|data|id|retry):/;
/** It may still become one. */
const UNDECIDED = /^(e|ev|eve|even|event|d|da|dat|data|i|id|r|re|ret|retr|retry)?$/;
/** How images begin, and byte order marks. */
const MAYBE_IMAGE = /^[\u0089\u00ffR\u00ef]/;
/** White space, byte order marks and comments of event streams before a response: keep-alives. */
const PRELUDE = /^(?:\s|\u00ef\u00bb\u00bf|:[^\r\n]*[\r\n])+/;
/** A comment without its end. */
const OPEN_COMMENT = /^:[^\r\n]*$/;

/**
 * Decodes a response of any kind. Its first bytes decide, not its content type: servers may ignore
 * `stream` or mislabel a response. Skips any amount of keep-alives before it. So a response is read
 * in the same way when it arrives and when it is read again.
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
    // Only the first byte of a long comment is needed.
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
