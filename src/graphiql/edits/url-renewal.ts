import { ask } from '../transport/graphql.ts';
import { serviceNow } from '../transport/service-clock.ts';
import { EDITS_BY_ID_QUERY, type Edit, type EditsById } from './edit.ts';
import { withExpiringUrls } from './image-expiry.ts';

/** How often URLs of images that expire are looked for, in milliseconds. */
const RENEW_MS = 60_000;

/** Edits of one request for URLs. */
const RENEWED_AT_ONCE = 24;

/** Keeps the URLs of shown images valid: signed ones expire while a page stays open. */
export interface UrlRenewal {
  /** Requests the edits again whose URLs have expired, or soon will; does nothing for others. */
  renew(): void;
  /** Renews every minute until the signal aborts. */
  start(signal: AbortSignal): void;
}

export function createUrlRenewal(options: {
  /** Empty while the service cannot be reached. */
  shown: () => readonly Edit[];
  /** Puts edits into the place of older ones. */
  replace: (newer: (edit: Edit) => Edit) => void;
  onError: (error: unknown) => void;
}): UrlRenewal {
  const { shown, replace, onError } = options;
  let isRenewing = false;

  async function renewExpiring(): Promise<void> {
    const expiring = new Set(withExpiringUrls(shown(), serviceNow()));
    const ids = [...new Set([...expiring].map(({ id }) => id))];
    for (let start = 0; start < ids.length; start += RENEWED_AT_ONCE) {
      const some = ids.slice(start, start + RENEWED_AT_ONCE);
      const variables = { ids: some };
      const { nodes } = await ask<EditsById>({ query: EDITS_BY_ID_QUERY, variables });
      const renewed = new Map(some.map((id, index) => [id, nodes[index]]));
      // An edit that has changed meanwhile has new URLs from its event.
      replace((edit) => (expiring.has(edit) && renewed.get(edit.id)) || edit);
    }
  }

  function renew(): void {
    if (isRenewing) return;
    isRenewing = true;
    renewExpiring()
      .catch(onError)
      .finally(() => {
        isRenewing = false;
      });
  }

  return {
    renew,
    start(signal) {
      const timer = setInterval(renew, RENEW_MS);
      signal.addEventListener('abort', () => clearInterval(timer));
    },
  };
}
