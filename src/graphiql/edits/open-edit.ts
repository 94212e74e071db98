import type { EditLink } from './edit-link.ts';

/** The edit that the Edits panel shows; any part of the page may set it. */
export interface OpenEdit {
  /** A global id, maybe of no edit; null to show all edits. */
  get(): string | null;
  set(id: string | null): void;
  /** @returns A function that ends the subscription. */
  subscribe(onChange: () => void): () => void;
}

/** Opens the edit of the link at first. The link is removed when another edit, or none, is set. */
export function createOpenEdit(link: EditLink): OpenEdit {
  const listeners = new Set<() => void>();
  let openId = link.read();
  return {
    get: () => openId,
    set(id) {
      if (id !== openId) link.remove();
      openId = id;
      for (const listener of listeners) listener();
    },
    subscribe(onChange) {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
  };
}
