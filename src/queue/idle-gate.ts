import { setTimeout as delay } from 'node:timers/promises';

/** Keeps work that nobody waits for out of the way of work that somebody does, in this process. */
export interface Lull {
  /** Runs `work` that somebody waits for. */
  busyWith<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Resolves when nothing that somebody waits for has run for `quietMs`, or when there was no such
   * time for `maxBusyMs`: what can wait must not wait for ever. Aborting resolves at once.
   */
  wait(signal: AbortSignal): Promise<void>;
}

export function createLull({ quietMs = 250, maxBusyMs = 5_000 } = {}): Lull {
  let running = 0;
  let endedMs = Number.NEGATIVE_INFINITY;
  let lastLullMs = performance.now();

  function dueInMs(): number {
    const nowMs = performance.now();
    if (running === 0 && nowMs - endedMs >= quietMs) lastLullMs = nowMs;
    const toMaximumMs = lastLullMs + maxBusyMs - nowMs;
    if (running > 0) return Math.min(quietMs, toMaximumMs);
    return Math.min(endedMs + quietMs - nowMs, toMaximumMs);
  }

  return {
    async busyWith(work) {
      dueInMs();
      running += 1;
      try {
        return await work();
      } finally {
        running -= 1;
        endedMs = performance.now();
      }
    },
    async wait(signal) {
      for (let ms = dueInMs(); ms > 0 && !signal.aborted; ms = dueInMs()) {
        await delay(Math.ceil(ms), undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
