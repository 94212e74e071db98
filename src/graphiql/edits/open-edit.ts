/** The edit that the Edits panel shows; any part of the page may set it. */
export interface OpenEdit {
  /** A global id; null to show all edits. */
  get(): string | null;
  set(id: string | null): void;
  /** @returns A function that ends the subscription. */
  subscribe(onChange: () => void): () => void;
}

export function createOpenEdit(): OpenEdit {
  const listeners = new Set<() => void>();
  let openId: string | null = null;
  return {
    get: () => openId,
    set(id) {
      openId = id;
      for (const listener of listeners) listener();
    },
    subscribe(onChange) {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
  };
}
