import type { IncomingMessage } from 'node:http';
import { badUpload } from './graphql/upload-map.ts';

/**
 * Reads a whole small body. On a larger one it stops keeping bytes and throws; the rest is read
 * and dropped, since a client that is cut off while it sends may never see the answer.
 *
 * @throws GraphQLError with status 413 over `maxBytes`, whether a length was declared or not;
 * 400 when the body breaks off.
 */
export function readSmallBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (finish: () => void) => {
      req.off('data', onData).off('end', onEnd).off('close', onBroken).off('error', onBroken);
      finish();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else settle(() => refuse(req, maxBytes, reject));
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, bytes)));
    const onBroken = () => settle(() => reject(badUpload('The request body ended early.')));

    if (Number(req.headers['content-length'] ?? 0) > maxBytes) {
      refuse(req, maxBytes, reject);
      return;
    }
    if (req.destroyed) {
      onBroken();
      return;
    }
    req.on('data', onData).on('end', onEnd).on('close', onBroken).on('error', onBroken);
  });
}

function refuse(req: IncomingMessage, maxBytes: number, reject: (error: Error) => void): void {
  // An error while the rest is dropped concerns nobody any more.
  req.on('error', () => undefined).resume();
  const limit = maxBytes.toLocaleString('en-US');
  reject(badUpload(`The request body may have at most ${limit} bytes.`, 413));
}
