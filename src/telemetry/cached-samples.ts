import type { Sample } from './metrics.ts';

/** Samples that are read from elsewhere, such as the database. Null: they cannot be had now. */
export type ReadSamples = () => Promise<readonly Sample[] | null>;

/**
 * Reads at most once in `maxAgeMs`, however many scrapes there are, and also after a failure. A read
 * that takes longer than `timeoutMs` gives null; none is started beside it until `abandonMs`.
 */
export function createCachedSamples(options: {
  read: () => Promise<readonly Sample[]>;
  onError: (error: unknown) => void;
  /** @default 5_000 // 5 seconds */
  maxAgeMs?: number;
  /** @default 2_000 // 2 seconds */
  timeoutMs?: number;
  /** @default 30_000 // 30 seconds */
  abandonMs?: number;
}): ReadSamples {
  const { read, onError, maxAgeMs = 5_000, timeoutMs = 2_000, abandonMs = 30_000 } = options;
  let known: readonly Sample[] | null = null;
  let readMs = Number.NEGATIVE_INFINITY;
  let running: { readonly promise: Promise<void>; readonly startedMs: number } | undefined;

  function start(): Promise<void> {
    const startedMs = performance.now();
    const promise = read()
      .catch((error: unknown) => {
        onError(error);
        return null;
      })
      .then((samples) => {
        if (running?.promise !== promise) return;
        running = undefined;
        known = samples;
        readMs = performance.now();
      });
    running = { promise, startedMs };
    return promise;
  }

  return async () => {
    const nowMs = performance.now();
    if (nowMs - readMs < maxAgeMs) return known;
    const isHanging = running !== undefined && nowMs - running.startedMs > abandonMs;
    const reading = running === undefined || isHanging ? start() : running.promise;
    const { promise: late, resolve } = Promise.withResolvers<'late'>();
    const timer = setTimeout(resolve, timeoutMs, 'late');
    try {
      return (await Promise.race([reading, late])) === 'late' ? null : known;
    } finally {
      clearTimeout(timer);
    }
  };
}
