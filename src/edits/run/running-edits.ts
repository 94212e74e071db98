import type { EditEndings } from '../watch/edit-endings.ts';

/** The edits that this process has out, so that one that ends elsewhere (a cancel) is aborted here. */
export interface RunningEdits {
  /** The signal is aborted when `signal` is, or when the news says that the job has ended. */
  track(jobId: string, signal: AbortSignal): { readonly signal: AbortSignal; end(): void };
}

export function createRunningEdits({ endings }: { endings: EditEndings }): RunningEdits {
  return {
    track(jobId, signal) {
      const ended = new AbortController();
      const end = endings.listen(jobId, () => ended.abort());
      return { signal: AbortSignal.any([signal, ended.signal]), end };
    },
  };
}
