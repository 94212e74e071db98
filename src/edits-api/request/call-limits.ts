const longestTimerMs = 2 ** 31 - 1;

/**
 * Combines the deadline and the caller's abort of one call in one signal that knows which came
 * first.
 */
export interface CallLimits {
  readonly signal: AbortSignal;
  readonly endedBy: 'TIMEOUT' | 'ABORTED' | null;
  /** Ends the deadline: from now on, only the caller's abort ends the call. */
  keepDeadline(): void;
  /**
   * Removes the timer and the listener, and aborts `signal` so that nothing of the call continues.
   */
  close(): void;
}

/** `timeoutMs` counts from now. An already aborted `signal` takes effect at once. */
export function createCallLimits(options: {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}): CallLimits {
  const controller = new AbortController();
  let endedBy: CallLimits['endedBy'] = null;

  function end(reason: 'TIMEOUT' | 'ABORTED') {
    endedBy ??= reason;
    controller.abort();
  }
  const onAbort = () => end('ABORTED');
  const timer = setTimeout(() => end('TIMEOUT'), Math.min(options.timeoutMs, longestTimerMs));
  if (options.signal?.aborted) onAbort();
  else options.signal?.addEventListener('abort', onAbort, { once: true });

  return {
    signal: controller.signal,
    get endedBy() {
      return endedBy;
    },
    keepDeadline: () => clearTimeout(timer),
    close() {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      controller.abort();
    },
  };
}
