import { seededRandom } from './random.ts';
import { noisePng } from './test-images.ts';
import { sendBytes, uploadRequest } from './upload-socket.ts';

const AT_ONCE = 10;
const SEED = 7;
const IMAGE_BYTES = 1_000_000;

/** So many clients that break off in the middle of an upload, each at an offset of its own. */
export async function vanishWhileUploading(url: string, clients: number): Promise<void> {
  const random = seededRandom(SEED);
  const request = uploadRequest(url, await noisePng(IMAGE_BYTES));
  for (let sent = 0; sent < clients; sent += AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, clients - sent) }, async () => {
        const offset = Math.floor(random() * request.length);
        const socket = await sendBytes(url, request.subarray(0, offset));
        socket.resetAndDestroy();
      }),
    );
  }
}
