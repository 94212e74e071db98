import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';

/**
 * PGlite works in this thread, and its statements follow each other by promises alone: a burst of
 * them, as when several edits end at once, would hold up everything else until the last one. From
 * now on other work gets its turn after `longestMs` of them.
 */
export function shareThread(pglite: PGlite, { longestMs = 5 } = {}): PGlite {
  const exec = pglite.execProtocolStream.bind(pglite);
  let lastTurnMs = performance.now();
  pglite.execProtocolStream = async (...args) => {
    if (performance.now() - lastTurnMs > longestMs) {
      await turnOfTheLoop();
      lastTurnMs = performance.now();
    }
    return exec(...args);
  };
  return pglite;
}
