import type { Staging } from '../images/staging.ts';
import {
  type AnswerDecoder,
  type AnswerLimits,
  createJsonAnswerDecoder,
} from './answer-decoder.ts';
import type { OnPartialImage } from './edits-api.ts';
import { createEventStreamDecoder } from './event-stream-decoder.ts';

/** How an event stream begins, after line breaks. */
const EVENT_STREAM = /^(event|data|id|retry)?:/;
/** It might still become one. */
const UNDECIDED = /^(e|ev|eve|even|event|d|da|dat|data|i|id|r|re|ret|retr|retry)?$/;
/** Longest white space before an answer. */
const MAX_BLANK_BYTES = 1024;

/**
 * Reads either kind of answer, told apart by its first bytes and not by its content type: a server
 * may ignore `stream` or mislabel what it sends, and a saved answer has no header left. So an answer
 * is read in the same way when it comes and when it is read again.
 */
export function createSniffingDecoder(options: {
  staging: Staging;
  limits: AnswerLimits;
  onPartialImage?: OnPartialImage | undefined;
}): AnswerDecoder {
  let head = Buffer.alloc(0);
  let decoder: AnswerDecoder | null = null;

  function decide(isWhole: boolean): AnswerDecoder | null {
    const text = head.toString('latin1', 0, MAX_BLANK_BYTES).trimStart();
    if (EVENT_STREAM.test(text)) return createEventStreamDecoder(options);
    const isBlank = text === '' && head.length < MAX_BLANK_BYTES;
    if (!isWhole && (isBlank || (text !== '' && UNDECIDED.test(text)))) return null;
    return createJsonAnswerDecoder(options);
  }

  async function flush(isWhole: boolean): Promise<AnswerDecoder | null> {
    decoder = decide(isWhole);
    if (decoder !== null) await decoder.write(head);
    return decoder;
  }

  return {
    async write(chunk) {
      if (decoder !== null) return decoder.write(chunk);
      head = Buffer.concat([head, chunk]);
      await flush(false);
    },
    async end() {
      const decided = decoder ?? (await flush(true));
      if (decided === null) throw new Error('the kind of an answer was not decided at its end');
      return decided.end();
    },
    async discard() {
      await decoder?.discard();
    },
  };
}
