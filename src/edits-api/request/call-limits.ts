const longestTimerMs = 2 ** 31 - 1;

/** The deadline and the caller's abort of one call, as one signal that knows which came first. */
export interface CallLimits {
  readonly signal: AbortSignal;
  readonly endedBy: 'TIMEOUT' | 'ABORTED' | null;
  /** The deadline is kept: from now on only the caller's abort ends the call. */
  keepDeadline(): void;
  /** Drops the timer and the listener, and aborts `signal` so that nothing of the call runs on. */
  close(): void;
}

/** `timeoutMs` counts from now. An already aborted `signal` is seen at once. */
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
