import type { StagedFile, Staging, StagingWriter } from '../../images/storage/staging.ts';
import type { AnswerDecoder, AnswerLimits } from './answer-decoder.ts';
import { brokenAnswer } from './answer-errors.ts';

/** Decodes a response that consists of an image's bytes. */
export function createImageAnswerDecoder(options: {
  staging: Staging;
  limits: Pick<AnswerLimits, 'maxImageBytes'>;
}): AnswerDecoder {
  const { staging, limits } = options;
  let writer: StagingWriter | null = null;

  return {
    async write(chunk) {
      writer ??= await staging.create();
      if (writer.bytes + chunk.length > limits.maxImageBytes) {
        throw brokenAnswer(`An image in the response has more than ${limits.maxImageBytes} bytes.`);
      }
      await writer.write(chunk);
    },
    state: 'more',
    async end() {
      const file: StagedFile | undefined = await writer?.finish();
      return {
        body: {},
        images: new Map(file === undefined ? [] : [[0, file]]),
        urls: new Map(),
        text: '',
        failure: brokenAnswer('The response contains no image.'),
      };
    },
    async discard() {
      await writer?.discard();
    },
  };
}
