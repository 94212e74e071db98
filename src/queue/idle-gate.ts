import { setTimeout as delay } from 'node:timers/promises';

/** Delays background work in this process while requests are running. */
export interface IdleGate {
  /** Runs `work` that a caller waits for. */
  busyWith<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Resolves when no such work has run for `quietMs`, or after `maxBusyMs` in any case, so that
   * background work cannot wait forever. Aborting resolves at once.
   */
  wait(signal: AbortSignal): Promise<void>;
}

export function createIdleGate({ quietMs = 250, maxBusyMs = 5_000 } = {}): IdleGate {
  let running = 0;
  let endedMs = Number.NEGATIVE_INFINITY;
  let lastIdleMs = performance.now();

  function dueInMs(): number {
    const nowMs = performance.now();
    if (running === 0 && nowMs - endedMs >= quietMs) lastIdleMs = nowMs;
    const toMaximumMs = lastIdleMs + maxBusyMs - nowMs;
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
