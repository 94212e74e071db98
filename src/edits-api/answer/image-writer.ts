import type { StagedFile, Staging, StagingWriter } from '../../images/storage/staging.ts';
import { brokenAnswer } from './answer-errors.ts';
import { assertImage } from './assert-image.ts';
import { createBase64Stream } from './base64-stream.ts';

/** Stages the images of an answer, one after the other, while their base64 arrives. */
export interface ImageWriter {
  /** A new image begins; one that is still open is removed. */
  open(): Promise<void>;
  /** @throws EditsApiError BROKEN_ANSWER for what is not base64, or too long; StorageError */
  write(base64: Buffer): Promise<void>;
  /** The image is whole; it belongs to the caller now. @throws EditsApiError BROKEN_ANSWER */
  close(): Promise<StagedFile>;
  /** Removes what was begun; nothing when nothing was. */
  discard(): Promise<void>;
}

export function createImageWriter(options: {
  staging: Staging;
  /** Of one image, decoded. */
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
    // It may hold the rest of the image that was given up.
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
