import type { IncomingMessage } from 'node:http';
import { badUpload } from './graphql/upload-map.ts';

/**
 * Reads a small body. If it is too large, the rest is read and dropped before this throws, because
 * a client that is closed while it sends may never see the response.
 *
 * @throws GraphQLError with status 413 over `maxBytes`, whether or not a length was declared; 400
 *   if the body ends early.
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
  // An error while the rest is dropped does not matter.
  req.on('error', () => undefined).resume();
  const limit = maxBytes.toLocaleString('en-US');
  reject(badUpload(`The request body may have at most ${limit} bytes.`, 413));
}
