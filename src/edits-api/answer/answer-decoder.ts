import type { StagedFile } from '../../images/storage/staging.ts';
import type { EditsApiError } from '../edits-api-error.ts';

export interface DecodedAnswer {
  /** The answer without its images. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Images that came inside the answer, by their place; the caller owns them. */
  readonly images: ReadonlyMap<number, StagedFile>;
  /** Where images can be fetched, by their place, also of some that came inside. */
  readonly urls: ReadonlyMap<number, string>;
  /**
   * What the answer says besides its images, as text, of one that has neither images nor URLs: an
   * error may stand there.
   */
  readonly text: string;
  /** Of an answer without an image that can be used: why, as far as its form tells. */
  readonly failure: EditsApiError;
}

/**
 * Takes an answer as it arrives and stages its images. One decoder reads one answer; every kind
 * of answer (one JSON document, an event stream, a bare image) has its own.
 */
export interface AnswerDecoder {
  /** Resolves when the chunk is dealt with, which is backpressure. @throws EditsApiError BROKEN_ANSWER */
  write(chunk: Buffer): Promise<void>;
  /**
   * - `whole`: what follows does not matter.
   * - `enough`: every image has come, and perhaps all.
   * - `more`: something is missing.
   */
  readonly state: 'more' | 'enough' | 'whole';
  /**
   * Nothing more comes. What is broken or missing does not matter to the images that came.
   * @param options.isCut It ended otherwise than by its own protocol.
   */
  end(options: { isCut: boolean }): Promise<DecodedAnswer>;
  /** Removes every image staged so far, finished or not. */
  discard(): Promise<void>;
}

export interface AnswerLimits {
  readonly maxImages: number;
  /** Per image, decoded. */
  readonly maxImageBytes: number;
  /** Of everything but the images. */
  readonly maxBodyBytes: number;
}
