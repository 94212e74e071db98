import { type Path, type PlacedFile, pathKey } from '../transport/multipart.ts';

/** Attached files, by tab and by their path in its variables. */
export interface Attachments {
  /** Files of the active tab. The same array until something changes. */
  active(): readonly PlacedFile[];
  set(path: Path, file: File): void;
  remove(path: Path): void;
  /** Entry `index` of a list was removed, so the following ones move up. */
  removeEntry(list: Path, index: number): void;
  /** The existing tabs; files of others are dropped. */
  showTabs(ids: readonly string[], activeId: string): void;
  /** @returns A function that ends the subscription. */
  subscribe(onChange: () => void): () => void;
}

const NONE: readonly PlacedFile[] = [];

export function createAttachments(): Attachments {
  const byTab = new Map<string, readonly PlacedFile[]>();
  const listeners = new Set<() => void>();
  let activeTab = '';

  const active = () => byTab.get(activeTab) ?? NONE;
  const tell = () => {
    for (const listener of listeners) listener();
  };
  function change(files: readonly PlacedFile[]) {
    byTab.set(activeTab, files);
    tell();
  }
  const without = (path: Path) =>
    active().filter((placed) => pathKey(placed.path) !== pathKey(path));

  return {
    active,
    set: (path, file) => change([...without(path), { path, file }]),
    remove: (path) => change(without(path)),
    removeEntry: (list, index) =>
      change(active().flatMap((placed) => afterRemoval(placed, list, index))),
    showTabs(ids, activeId) {
      for (const id of byTab.keys()) if (!ids.includes(id)) byTab.delete(id);
      if (activeId === activeTab) return;
      activeTab = activeId;
      tell();
    },
    subscribe(onChange) {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
  };
}

function afterRemoval(placed: PlacedFile, list: Path, index: number): PlacedFile[] {
  const { path, file } = placed;
  const at = path[list.length];
  const isIn = pathKey(path.slice(0, list.length)) === pathKey(list) && typeof at === 'number';
  if (!isIn || at < index) return [placed];
  if (at === index) return [];
  return [{ path: [...list, at - 1, ...path.slice(list.length + 1)], file }];
}
