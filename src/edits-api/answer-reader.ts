import type { Readable } from 'node:stream';
import { discardStagedFile } from '../images/fs-staging.ts';
import type { StagedFile, Staging } from '../images/staging.ts';
import type { AnswerLimits } from './answer-decoder.ts';
import { type RawAnswer, receiveAnswer } from './answer-receiver.ts';
import type { EditsApiAnswer, OnPartialImage } from './edits-api.ts';
import type { FetchPicture } from './picture-fetcher.ts';
import { createSniffingDecoder } from './sniffing-decoder.ts';

/**
 * Reads a good answer to its end: kept raw, its pictures staged, those it only points at fetched.
 * All or none: when it throws, nothing of it is left in the staging directory but the pictures on the
 * way that `onPartialImage` has taken.
 * @throws EditsApiError BROKEN_ANSWER, StorageError
 */
export type ReadAnswer = (
  body: Readable,
  raw: RawAnswer,
  options: { signal: AbortSignal; onPartialImage?: OnPartialImage | undefined },
) => Promise<Pick<EditsApiAnswer, 'images' | 'body'>>;

export function createAnswerReader(options: {
  staging: Staging;
  limits: AnswerLimits;
  /** Of the whole answer. */
  maxBytes: number;
  fetchPicture: FetchPicture;
}): ReadAnswer {
  const { staging, limits, maxBytes, fetchPicture } = options;

  async function fetchAll(urls: ReadonlyMap<number, string>, signal: AbortSignal) {
    const fetched = new Map<number, StagedFile>();
    const results = await Promise.allSettled(
      [...urls].map(async ([index, url]) => fetched.set(index, await fetchPicture(url, signal))),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed === undefined) return fetched;
    for (const file of fetched.values()) await discardStagedFile(file);
    throw failed.reason;
  }

  return async (body, raw, { signal, onPartialImage }) => {
    const decoder = createSniffingDecoder({ staging, limits, onPartialImage });
    try {
      const answer = await receiveAnswer({ body, raw, decoder, maxBytes });
      const fetched = await fetchAll(answer.urls, signal);
      const pictures = [...answer.pictures, ...fetched].sort(([a], [b]) => a - b);
      return { images: pictures.map(([, file]) => file), body: answer.body };
    } catch (error) {
      await decoder.discard();
      throw error;
    }
  };
}
