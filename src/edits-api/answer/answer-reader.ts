import type { ReceivedImage } from '../../images/images.ts';
import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { Staging } from '../../images/storage/staging.ts';
import type { EditsApiAnswer, OnPartialImage } from '../edits-api.ts';
import { EditsApiError } from '../edits-api-error.ts';
import type { AnswerLimits, DecodedAnswer } from './answer-decoder.ts';
import { type AnswerHead, errorInAnswer } from './answer-errors.ts';
import { type AnswerBody, type RawAnswer, receiveAnswer } from './answer-receiver.ts';
import { findUsage } from './find-usage.ts';
import type { FetchImage } from './image-fetcher.ts';
import { inspectOutput } from './inspect-output.ts';
import { createSniffingDecoder } from './sniffing-decoder.ts';
import { storableJson } from './storable-text.ts';

export interface ReadOptions {
  /** What was read before the body. */
  readonly head: AnswerHead;
  /** Aborting stops the download of linked images. */
  readonly signal: AbortSignal;
  /** Number of requested images. */
  readonly expectedImages: number;
  readonly onPartialImage?: OnPartialImage | undefined;
  /** Called when the response has arrived and only linked images remain to be downloaded. */
  readonly onReceived?: (() => void) | undefined;
}

/**
 * Reads a successful response to its end: stores it raw, stages its images, and downloads linked
 * ones. A broken or missing image does not matter if there are others. If it throws, nothing
 * remains in the staging directory except the partial images that `onPartialImage` received.
 * @throws EditsApiError if there is no image at all; StorageError; the signal's reason when aborted
 */
export type ReadAnswer = (
  body: AnswerBody,
  raw: RawAnswer,
  options: ReadOptions,
) => Promise<Pick<EditsApiAnswer, 'images' | 'body'>>;

export function createAnswerReader(options: {
  staging: Staging;
  limits: AnswerLimits;
  /** Limit of the whole response. */
  maxBytes: number;
  /** See `receiveAnswer`. */
  quietMs: number;
  /** See `ErrorContext`. */
  firstHand: boolean;
  fetchImage: FetchImage;
}): ReadAnswer {
  const { staging, limits, maxBytes, quietMs, firstHand, fetchImage } = options;

  return async (body, raw, { head, onReceived, signal, ...more }) => {
    const decoder = createSniffingDecoder({ staging, limits, ...more });
    const images = new Map<number, ReceivedImage>();
    let failure: EditsApiError | null = null;

    /** An error of one image does not affect the others. */
    async function take(place: number, image: Promise<ReceivedImage>): Promise<void> {
      try {
        images.set(place, await image);
      } catch (error) {
        if (!(error instanceof EditsApiError)) throw error;
        failure ??= error;
      }
    }

    async function collect(decoded: DecodedAnswer): Promise<void> {
      for (const [place, file] of decoded.images) await take(place, inspectOutput(file));
      const missing = [...decoded.urls].filter(([place]) => !images.has(place));
      if (missing.length > 0) onReceived?.();
      const fetching = missing.map(([place, url]) => take(place, fetchImage(url, signal)));
      const failed = (await Promise.allSettled(fetching)).find(
        (result) => result.status === 'rejected',
      );
      if (failed !== undefined) throw failed.reason;
    }

    try {
      const decoded = await receiveAnswer({ body, raw, decoder, maxBytes, quietMs });
      await collect(decoded);
      if (images.size === 0) {
        const reported = errorInAnswer(head, decoded.text, { firstHand });
        throw reported ?? failure ?? body.cut ?? decoded.failure;
      }
      const usage = findUsage(decoded.body);
      return {
        images: [...images].toSorted(([a], [b]) => a - b).map(([, image]) => image),
        body: storableJson({ ...decoded.body, ...(usage !== undefined && { usage }) }),
      };
    } catch (error) {
      await decoder.discard();
      for (const { staged } of images.values()) await discardStagedFile(staged);
      throw error;
    }
  };
}
