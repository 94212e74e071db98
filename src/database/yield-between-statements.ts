import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';

/**
 * PGlite runs in this thread, and its statements are chained by promises alone, so a burst of them,
 * as when several edits end at once, would block everything else. This lets other work run after
 * `longestMs` of statements.
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
