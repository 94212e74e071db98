import { createSubscriptions } from '../transport/graphql.ts';
import { EDITS_SUBSCRIPTION, type EditNews } from './edit.ts';

/**
 * Tells of each edit that changes or goes.
 * @param options.onConnected No change is missed from here on: what is asked for now is up to date.
 * @returns A promise that resolves when the service ends it or the signal does.
 * @throws Error when the service cannot be reached, goes away, or refuses, and what onConnected does.
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
