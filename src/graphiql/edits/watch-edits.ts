import { createSubscriptions } from '../transport/graphql.ts';
import { EDITS_SUBSCRIPTION, type EditNews } from './edit.ts';

/**
 * Calls back for each edit that changes or is deleted.
 * @param options.onConnected From here on no change is missed, so data requested now is current.
 * @returns A promise that resolves when the service or the signal ends it.
 * @throws Error if the service cannot be reached, disconnects or rejects, and errors of
 *   onConnected.
 */
export function watchEdits(options: {
  signal: AbortSignal;
  onConnected: () => Promise<void>;
  onNews: (news: EditNews) => void;
}): Promise<void> {
  const { signal, onConnected, onNews } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = createSubscriptions().subscribe<{ editJobs: EditNews }>(
    { query: EDITS_SUBSCRIPTION },
    {
      next({ data, errors }) {
        if (errors?.[0]) reject(new Error(errors[0].message));
        else if (data) onNews(data.editJobs);
      },
      error: reject,
      complete: resolve,
    },
    { connected: () => void onConnected().catch(reject) },
  );
  signal.addEventListener('abort', stop, { once: true });
  return promise.finally(() => {
    signal.removeEventListener('abort', stop);
    stop();
  });
}
