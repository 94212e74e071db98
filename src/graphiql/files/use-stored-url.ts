import { useEffect, useState, useSyncExternalStore } from 'react';
import { access, fetchWithAccess } from '../transport/access.ts';
import { imagePath } from '../transport/graphql.ts';
import { useObjectUrl } from '../workbench/use-object-url.ts';

/**
 * A URL of a stored image for an `<img>`, which sends no credential: if the page has one, the image
 * is fetched with it. Null until it is loaded.
 */
export function useStoredUrl(id: string | null, search = ''): string | null {
  const credential = useSyncExternalStore(access.subscribe, access.credential);
  const path = id === null ? null : imagePath(id, search);
  const [loaded, setLoaded] = useState<{ path: string; blob: Blob } | null>(null);
  useEffect(() => {
    if (path === null || credential === null) return;
    const loading = new AbortController();
    loadImage(path, loading.signal).then(
      (blob) => setLoaded(blob && { path, blob }),
      // Shown as an image that is not there.
      () => undefined,
    );
    return () => loading.abort();
  }, [path, credential]);
  const url = useObjectUrl(loaded !== null && loaded.path === path ? loaded.blob : null);
  return credential === null && access.isOpen() ? path : url;
}

/** Null if the service does not return it. */
async function loadImage(path: string, signal: AbortSignal): Promise<Blob | null> {
  const response = await fetchWithAccess(path, { signal });
  return response.ok ? response.blob() : null;
}
