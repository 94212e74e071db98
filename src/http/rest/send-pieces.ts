import type { ServerResponse } from 'node:http';

/**
 * Sends pieces as the body of a response, each when the one before is with the kernel, since their
 * memory is used again. Ends silently if the client disconnects.
 * @param sendHead Called when the first piece is there: what cannot be read must not look like an
 *   incomplete response.
 * @throws What the pieces throw.
 */
export async function sendPieces(
  res: ServerResponse,
  pieces: AsyncIterable<Uint8Array>,
  sendHead: () => void,
): Promise<void> {
  for await (const piece of pieces) {
    if (res.destroyed) return;
    if (!res.headersSent) sendHead();
    await written(res, piece);
  }
  res.end();
}

/** Resolves when the piece was sent, or never will be. */
function written(res: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off('close', done);
      resolve();
    };
    res.once('close', done);
    res.write(piece, done);
  });
}
