import type { ReceivedImage } from '../../../images/images.ts';
import type { Uploads } from '../../../images/receive/uploads.ts';
import { discardStagedFile } from '../../../images/storage/fs-staging.ts';

/** The images that arrive with one request, each a staged file. */
export interface ImageIntake {
  /**
   * Receives one image. If it fails, no staged file of it remains, and `bytes` may still be read.
   * @throws InvalidInputError naming the field; StorageError; the signal's reason.
   */
  take(field: string, bytes: AsyncIterable<Uint8Array>): Promise<ReceivedImage>;
  /** Removes the staged files that were not moved to the blob store. Idempotent. */
  discard(): Promise<void>;
}

export function createImageIntake(options: {
  uploads: Pick<Uploads, 'receive'>;
  signal: AbortSignal;
}): ImageIntake {
  const { uploads, signal } = options;
  const received: ReceivedImage[] = [];
  return {
    async take(field, bytes) {
      const upload = Promise.resolve({ createReadStream: () => bytes });
      const [image] = await uploads.receive([{ field, upload }], signal);
      if (image === undefined) throw new Error(`${field} was not received`);
      received.push(image);
      return image;
    },
    async discard() {
      await Promise.all(received.map(({ staged }) => discardStagedFile(staged)));
    },
  };
}
