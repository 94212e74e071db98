import type { ServerResponse } from 'node:http';

/** How long after its last byte a reset still shows that the client did not read a response. */
const RESET_MS = 2_000;

/**
 * Reports what becomes of a response: WRITTEN, when all of it was handed to the system, or LOST, when
 * its connection closed before. A client that vanished without a word resets the connection when the
 * rest arrives: LOST follows WRITTEN then. A response that was closed already is reported at once.
 */
export function onResponseEnd(
  res: ServerResponse,
  report: (state: 'WRITTEN' | 'LOST') => void,
): void {
  const { socket } = res;
  const ended = () => {
    report(res.writableFinished ? 'WRITTEN' : 'LOST');
    if (!res.writableFinished || socket === null) return;
    const reset = () => report('LOST');
    socket.once('error', reset);
    setTimeout(() => socket.off('error', reset), RESET_MS).unref();
  };
  if (res.closed) ended();
  else res.once('close', ended);
}
