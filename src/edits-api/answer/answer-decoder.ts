import type { StagedFile } from '../../images/storage/staging.ts';
import type { EditsApiError } from '../edits-api-error.ts';

export interface DecodedAnswer {
  /** The response without its images. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Images inside the response by position; the caller owns them. */
  readonly images: ReadonlyMap<number, StagedFile>;
  /** URLs of images by position, possibly also of images inside the response. */
  readonly urls: ReadonlyMap<number, string>;
  /** Text of a response without images and URLs, which may contain an error. */
  readonly text: string;
  /** Why the response has no usable image, judged by its format. */
  readonly failure: EditsApiError;
}

/**
 * Decodes a response while it arrives, and stages its images. One decoder per response; each kind
 * of response (a JSON document, an event stream, a bare image) has its own.
 */
export interface AnswerDecoder {
  /**
   * Resolves when the chunk is processed; await it for backpressure. @throws EditsApiError
   * BROKEN_ANSWER
   */
  write(chunk: Buffer): Promise<void>;
  /**
   * - `whole`: the rest does not matter.
   * - `enough`: every requested image has arrived.
   * - `more`: something is missing.
   */
  readonly state: 'more' | 'enough' | 'whole';
  /**
   * Call at the end of the data. Broken or missing parts do not affect complete images.
   * @param options.isCut Whether the response ended early by its own protocol.
   */
  end(options: { isCut: boolean }): Promise<DecodedAnswer>;
  /** Removes every staged image, finished or not. */
  discard(): Promise<void>;
}

export interface AnswerLimits {
  readonly maxImages: number;
  /** Limit per image, decoded. */
  readonly maxImageBytes: number;
  /** Limit of everything but the images. */
  readonly maxBodyBytes: number;
}
