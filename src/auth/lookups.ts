/** Well below the 5 seconds within which a revocation holds even if its notification is lost. */
const LIFETIME_MS = 3_000;

const MAX_ENTRIES = 10_000;

/** Values by key, each loaded once in its lifetime. */
export interface Lookups<Value> {
  get(key: string): Promise<Value>;
  forget(key: string): void;
  /** Forgets the keys whose loaded value matches. */
  forgetIf(matches: (value: Value) => boolean): void;
  clear(): void;
}

/**
 * A cache with a short lifetime and a bounded size. Misses are values too. Concurrent lookups share
 * one load; a failed load is not cached.
 */
export function createLookups<Value>(options: {
  load: (key: string) => Promise<Value>;
  /** @default 3_000 */
  lifetimeMs?: number;
  /** @default 10_000 */
  maxEntries?: number;
}): Lookups<Value> {
  const { load, lifetimeMs = LIFETIME_MS, maxEntries = MAX_ENTRIES } = options;
  interface Entry {
    readonly value: Promise<Value>;
    readonly atMs: number;
    loaded?: { readonly value: Value };
  }
  /** Oldest first. */
  const entries = new Map<string, Entry>();

  return {
    get(key) {
      const known = entries.get(key);
      if (known !== undefined && performance.now() - known.atMs < lifetimeMs) return known.value;
      const value = load(key);
      const entry: Entry = { value, atMs: performance.now() };
      entries.delete(key);
      entries.set(key, entry);
      const [oldest] = entries.keys();
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
      value.then(
        (loaded) => {
          entry.loaded = { value: loaded };
        },
        () => {
          if (entries.get(key) === entry) entries.delete(key);
        },
      );
      return value;
    },
    forget: (key) => void entries.delete(key),
    forgetIf(matches) {
      for (const [key, { loaded }] of entries) {
        // One that is still loading may have read the earlier state.
        if (loaded === undefined || matches(loaded.value)) entries.delete(key);
      }
    },
    clear: () => entries.clear(),
  };
}
