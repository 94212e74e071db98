import { useEffect, useState } from 'react';
import { ask } from '../transport/graphql.ts';
import { type ListedModel, MODELS_QUERY, modelNotice } from './model-notice.ts';

/** Shows that the default model has ended or soon will; nothing otherwise. */
export function ModelBanner() {
  const [notice, setNotice] = useState<string | null>(null);
  useEffect(() => {
    const asking = new AbortController();
    ask<{ models: readonly ListedModel[] }>({ query: MODELS_QUERY }, asking.signal).then(
      ({ models }) => setNotice(modelNotice(models)),
      // Other requests show that the service cannot be reached.
      () => {},
    );
    return () => asking.abort();
  }, []);
  if (notice === null) return null;
  return (
    <aside aria-label="Default model" className="retouch-banner">
      <b>Model</b>
      <span>
        {notice} Name another in <code>input.model</code>, or set <code>DEFAULT_MODEL</code>.
      </span>
    </aside>
  );
}
