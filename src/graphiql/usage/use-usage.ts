import { useEffect, useState } from 'react';
import { ask } from '../transport/graphql.ts';
import { everyDay, lastDays, type UsageDay } from './days.ts';
import { USAGE_QUERY, type UsageAnswer } from './usage-query.ts';

/**
 * The last days' usage, reloaded when `version` changes. Null until it is loaded; unchanged while
 * it cannot be loaded.
 */
export function useUsage(days: number, version: unknown): readonly UsageDay[] | null {
  const [usage, setUsage] = useState<readonly UsageDay[] | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version says when to ask again.
  useEffect(() => {
    const asking = new AbortController();
    const span = lastDays(days, new Date());
    ask<UsageAnswer>(
      { query: USAGE_QUERY, variables: { from: span.from, to: span.to } },
      asking.signal,
    ).then(
      ({ usage: { buckets } }) =>
        setUsage(
          everyDay(
            buckets.map(({ day, totals }) => ({ day, ...totals })),
            span,
          ),
        ),
      () => {},
    );
    return () => asking.abort();
  }, [days, version]);
  return usage;
}
