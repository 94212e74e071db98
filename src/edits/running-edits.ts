import type { Events } from '../events.ts';

/** The edits that this process has out, so that one that ends elsewhere (a cancel) is aborted here. */
export interface RunningEdits {
  /** The signal is aborted when `signal` is, or when the news says that the job has ended. */
  track(jobId: string, signal: AbortSignal): { readonly signal: AbortSignal; end(): void };
  stop(): void;
}

export function createRunningEdits({ events }: { events: Events }): RunningEdits {
  const running = new Map<string, AbortController>();
  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'edit' && event.final) running.get(event.jobId)?.abort();
  });
  return {
    track(jobId, signal) {
      const ended = new AbortController();
      running.set(jobId, ended);
      return {
        signal: AbortSignal.any([signal, ended.signal]),
        end: () => void running.delete(jobId),
      };
    },
    stop: unsubscribe,
  };
}
