import { type OperationDefinitionNode, valueFromASTUntyped } from 'graphql';

/** The last run of a tab's operation. */
export interface Run {
  /** By the service's clock, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** Null while it is running. */
  readonly endedAt: number | null;
  /** Prompts of the edits that it submits; empty for any prompt. Null if it submits no edit. */
  readonly prompts: readonly string[] | null;
  /** Global ids of the edits in its response, in order. */
  readonly editIds: readonly string[];
}

/** The runs, by tab. */
export interface Runs {
  /** Run of the active tab; null if it has not run. The same object until it changes. */
  active(): Run | null;
  begin(options: { prompts: Run['prompts']; startedAt: number }): OpenRun;
  /** The existing tabs; runs of others are dropped. */
  showTabs(ids: readonly string[], activeId: string): void;
  /** @returns A function that ends the subscription. */
  subscribe(onChange: () => void): () => void;
}

/** Records the response of a run. */
export interface OpenRun {
  result(result: unknown): void;
  end(endedAt: number): void;
}

/** Mutations that submit an edit. */
const SUBMITS = ['editImage', 'retryEdit'];

export function createRuns(): Runs {
  const byTab = new Map<string, Run>();
  const listeners = new Set<() => void>();
  let activeTab = '';

  const notify = () => {
    for (const listener of listeners) listener();
  };

  return {
    active: () => byTab.get(activeTab) ?? null,
    begin(options) {
      const tab = activeTab;
      const begun: Run = { ...options, endedAt: null, editIds: [] };
      let last = begun;
      byTab.set(tab, begun);
      notify();
      const change = (changes: Partial<Run>) => {
        // A later run may have replaced it.
        if (byTab.get(tab) !== last) return;
        last = { ...last, ...changes };
        byTab.set(tab, last);
        notify();
      };
      return {
        result: (result) =>
          change({ editIds: [...new Set([...last.editIds, ...editIdsIn(result)])] }),
        end: (endedAt) => change({ endedAt }),
      };
    },
    showTabs(ids, activeId) {
      for (const id of byTab.keys()) if (!ids.includes(id)) byTab.delete(id);
      if (activeId === activeTab) return;
      activeTab = activeId;
      notify();
    },
    subscribe(onChange) {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
  };
}

/** The prompts of the edits that an operation submits; null if it submits none. */
export function promptsOf(
  operation: OperationDefinitionNode | null,
  variables: Record<string, unknown> | undefined,
): string[] | null {
  const fields = (operation?.selectionSet.selections ?? [])
    .filter((selection) => selection.kind === 'Field')
    .filter(({ name }) => SUBMITS.includes(name.value));
  if (operation?.operation !== 'mutation' || fields.length === 0) return null;
  const prompts = fields.map(({ arguments: given = [] }) => {
    const input = given.find(({ name }) => name.value === 'input');
    const value = input && valueFromASTUntyped(input.value, variables);
    return value !== null && typeof value === 'object' ? Reflect.get(value, 'prompt') : null;
  });
  return prompts.every((prompt) => typeof prompt === 'string') ? prompts : [];
}

/** The global ids of edits in a response, in order. */
export function editIdsIn(value: unknown): string[] {
  if (typeof value === 'string') return isEditId(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(editIdsIn);
}

const PREFIX = btoa('EditJob:').replace(/=+$/, '');
/**
 * Whole groups of three bytes, because the last character before the id depends on what follows.
 */
const FIXED = PREFIX.slice(0, 10);

function isEditId(text: string): boolean {
  if (!text.startsWith(FIXED) || text.length > 100) return false;
  try {
    return /^EditJob:[0-9a-f-]{36}$/.test(atob(text.replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    return false;
  }
}
