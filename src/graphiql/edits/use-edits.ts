import { useCallback, useEffect, useState } from 'react';
import { ask, wordsOf } from '../transport/graphql.ts';
import {
  EDITS_QUERY,
  type Edit,
  type EditNews,
  type EditPage,
  withEarlier,
  withNews,
} from './edit.ts';
import { watchEdits } from './watch-edits.ts';

/** Between the end of a subscription and the next, in milliseconds. */
const RECONNECT_MS = 2_000;

export interface Edits {
  /** Newest first; null until the first of them are there. */
  readonly edits: readonly Edit[] | null;
  /** News are told as they happen; false while the service cannot be reached. */
  readonly isLive: boolean;
  readonly problem: string | null;
  /** Null: there are no earlier ones. */
  readonly loadEarlier: (() => void) | null;
}

/** The viewer's edits, kept up to date for as long as somebody looks. */
export function useEdits(): Edits {
  const [edits, setEdits] = useState<readonly Edit[] | null>(null);
  const [isLive, setIsLive] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);

  useEffect(() => {
    const watching = new AbortController();
    const { signal } = watching;
    const fail = (error: unknown) => {
      if (!signal.aborted) setProblem(wordsOf(error));
    };

    function watch(): Promise<void> {
      // Until the page is there: it may have been read before them.
      let early: readonly EditNews[] | null = [];
      async function load() {
        const page = await ask<EditPage>({ query: EDITS_QUERY }, signal);
        setEdits((early ?? []).reduce(withNews, nodesOf(page)));
        early = null;
        setCursor(nextCursor(page));
        setProblem(null);
        setIsLive(true);
      }
      return watchEdits({
        signal,
        onConnected: load,
        onNews(news) {
          early &&= [...early, news];
          setEdits((known) => known && withNews(known, news));
        },
      });
    }
    async function keepWatching() {
      while (!signal.aborted) {
        await watch().catch(fail);
        if (signal.aborted) return;
        setIsLive(false);
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      }
    }
    void keepWatching();
    return () => watching.abort();
  }, []);

  const loadEarlier = useCallback(() => {
    ask<EditPage>({ query: EDITS_QUERY, variables: { after: cursor } }).then(
      (page) => {
        setEdits((known) => withEarlier(known ?? [], nodesOf(page)));
        setCursor(nextCursor(page));
      },
      (error: unknown) => setProblem(wordsOf(error)),
    );
  }, [cursor]);

  return { edits, isLive, problem, loadEarlier: cursor === null ? null : loadEarlier };
}

function nodesOf({ editJobs }: EditPage): readonly Edit[] {
  return editJobs.edges.map(({ node }) => node);
}

function nextCursor({ editJobs: { pageInfo } }: EditPage): string | null {
  return pageInfo.hasNextPage ? pageInfo.endCursor : null;
}
