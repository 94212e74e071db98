import type { StagedFile, Staging, StagingWriter } from '../../images/storage/staging.ts';
import { brokenAnswer } from './answer-errors.ts';
import { assertImage } from './assert-image.ts';
import { createBase64Stream } from './base64-stream.ts';

/** Stages the images of a response one by one while their base64 arrives. */
export interface ImageWriter {
  /** Begins a new image, and removes one that is still open. */
  open(): Promise<void>;
  /** @throws EditsApiError BROKEN_ANSWER if the text is invalid or too long; StorageError */
  write(base64: Buffer): Promise<void>;
  /** Ends the image; the caller owns it. @throws EditsApiError BROKEN_ANSWER */
  close(): Promise<StagedFile>;
  /** Removes an open image; otherwise a no-op. */
  discard(): Promise<void>;
}

export function createImageWriter(options: {
  staging: Staging;
  /** Limit per image, decoded. */
  maxImageBytes: number;
}): ImageWriter {
  const { staging, maxImageBytes } = options;
  let base64 = createBase64Stream();
  let current: StagingWriter | null = null;

  async function store(writer: StagingWriter, block: Buffer): Promise<void> {
    if (writer.bytes + block.length > maxImageBytes) {
      throw brokenAnswer(`An image in the response has more than ${maxImageBytes} bytes.`);
    }
    await writer.write(block);
  }

  async function discard(): Promise<void> {
    const writer = current;
    if (writer === null) return;
    current = null;
    // It may contain the rest of the discarded image.
    base64 = createBase64Stream();
    await writer.discard();
  }

  return {
    async open() {
      await discard();
      current = await staging.create();
    },
    async write(text) {
      if (current === null) throw new TypeError('There is no open image.');
      for (const block of base64.decode(text)) await store(current, block);
    },
    async close() {
      if (current === null) throw new TypeError('There is no open image.');
      for (const block of base64.end()) await store(current, block);
      const file = await current.finish();
      assertImage(file);
      current = null;
      return file;
    },
    discard,
  };
}
