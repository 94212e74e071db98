import { access } from '../transport/access.ts';
import { ask, wordsOf } from '../transport/graphql.ts';
import {
  EDITS_BY_ID_QUERY,
  EDITS_QUERY,
  type Edit,
  type EditNews,
  type EditPage,
  type EditsById,
  withEarlier,
  withNews,
} from './edit.ts';
import { createUrlRenewal } from './url-renewal.ts';
import { watchEdits } from './watch-edits.ts';

/** Delay before subscribing again, in milliseconds. */
const RECONNECT_MS = 2_000;

export interface FeedState {
  /** Newest first; null until the first page is loaded. */
  readonly edits: readonly Edit[] | null;
  /** Other requested edits by id; null if an edit does not exist. */
  readonly others: Readonly<Record<string, Edit | null>>;
  /** False while the service cannot be reached. */
  readonly isLive: boolean;
  readonly problem: string | null;
  readonly hasEarlier: boolean;
}

/** The viewer's edits, kept up to date while there are listeners. */
export interface EditsFeed {
  /** The same object until it changes. */
  state(): FeedState;
  loadEarlier(): void;
  /** Requests the edits that are not known yet. */
  ask(ids: readonly string[]): void;
  /** Requests new URLs for images whose URLs have expired, or soon will; does nothing for others. */
  renewUrls(): void;
  /** @returns A function that ends the subscription. */
  subscribe(onChange: () => void): () => void;
}

export function createEditsFeed(): EditsFeed {
  const listeners = new Set<() => void>();
  let state: FeedState = {
    edits: null,
    others: {},
    isLive: false,
    problem: null,
    hasEarlier: false,
  };
  let cursor: string | null = null;
  let watching: AbortController | null = null;

  function set(changes: Partial<FeedState>) {
    state = { ...state, ...changes };
    for (const listener of listeners) listener();
  }
  const fail = (error: unknown) => set({ problem: wordsOf(error) });

  function apply(news: EditNews) {
    const { editJobId: id, editJob = null } = news;
    set({
      edits: state.edits && withNews(state.edits, news),
      others: id in state.others ? { ...state.others, [id]: editJob } : state.others,
    });
  }

  function setPage({ editJobs: { pageInfo } }: EditPage, edits: readonly Edit[]) {
    cursor = pageInfo.endCursor;
    set({ edits, hasEarlier: pageInfo.hasNextPage, problem: null });
  }

  function watch(signal: AbortSignal): Promise<void> {
    // Collected until the page is loaded, which may be older than these events.
    let early: readonly EditNews[] | null = [];
    return watchEdits({
      signal,
      async onConnected() {
        const [page] = await Promise.all([
          ask<EditPage>({ query: EDITS_QUERY }, signal),
          loadOthers(Object.keys(state.others)),
        ]);
        setPage(page, (early ?? []).reduce(withNews, nodesOf(page)));
        early = null;
        set({ isLive: true });
      },
      onNews(news) {
        early &&= [...early, news];
        apply(news);
      },
    });
  }

  async function keepWatching(signal: AbortSignal) {
    while (!signal.aborted) {
      await access.opened(signal);
      if (signal.aborted) return;
      const ended = AbortSignal.any([signal, access.signal()]);
      await watch(ended).catch((error) => ended.aborted || fail(error));
      if (signal.aborted) return;
      set({ isLive: false });
      if (ended.aborted) set({ problem: null });
      else await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  }

  async function loadOthers(ids: readonly string[]) {
    if (ids.length === 0) return;
    const { nodes } = await ask<EditsById>({ query: EDITS_BY_ID_QUERY, variables: { ids } });
    // Nothing is selected of an object of another type.
    const found = ids.map((id, index) => [id, nodes[index]?.id ? nodes[index] : null]);
    set({ others: { ...state.others, ...Object.fromEntries(found) } });
  }

  const renewal = createUrlRenewal({
    shown: () =>
      state.isLive
        ? [...(state.edits ?? []), ...Object.values(state.others)].filter((it) => it !== null)
        : [],
    replace(newer) {
      const others = Object.entries(state.others).map(([id, edit]) => [id, edit && newer(edit)]);
      set({ edits: state.edits?.map(newer) ?? null, others: Object.fromEntries(others) });
    },
    onError: fail,
  });

  return {
    state: () => state,
    renewUrls: renewal.renew,
    loadEarlier() {
      ask<EditPage>({ query: EDITS_QUERY, variables: { after: cursor } }).then(
        (page) => setPage(page, withEarlier(state.edits ?? [], nodesOf(page))),
        fail,
      );
    },
    ask(ids) {
      const unknown = ids.filter((id) => find(state, id) === undefined);
      loadOthers(unknown).catch(fail);
    },
    subscribe(onChange) {
      listeners.add(onChange);
      watching ??= begin();
      return () => {
        listeners.delete(onChange);
        if (listeners.size > 0) return;
        watching?.abort();
        watching = null;
      };
    },
  };

  function begin(): AbortController {
    const controller = new AbortController();
    void keepWatching(controller.signal);
    renewal.start(controller.signal);
    return controller;
  }
}

/** Undefined if not known yet; null if the edit does not exist. */
export function find({ edits, others }: FeedState, id: string): Edit | null | undefined {
  return edits?.find((edit) => edit.id === id) ?? others[id];
}

function nodesOf({ editJobs }: EditPage): readonly Edit[] {
  return editJobs.nodes;
}
