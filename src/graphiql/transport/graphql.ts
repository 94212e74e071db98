import { type Client, createClient } from 'graphql-sse';

export const ENDPOINT = '/graphql';

/** Shows the server that no other site's page sent the request behind the user's back. */
export const CSRF_HEADERS = { 'apollo-require-preflight': 'true' };

export interface Operation {
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
  readonly operationName?: string | null | undefined;
}

/**
 * A query of the page's own.
 * @throws Error with the server's words when it has errors or no answer came.
 */
export async function ask<Data>(operation: Operation, signal?: AbortSignal): Promise<Data> {
  const response = await fetch(ENDPOINT, {
    method: 'POST',
    headers: { ...CSRF_HEADERS, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(operation),
    ...(signal && { signal }),
  });
  const answer: { data?: Data; errors?: readonly { message: string }[] } = await response.json();
  const [error] = answer.errors ?? [];
  if (error !== undefined || answer.data === undefined) {
    throw new Error(error?.message ?? `The service answered ${response.status}.`);
  }
  return answer.data;
}

/** Subscriptions by server-sent events, each over a request of its own, none of them retried. */
export function createSubscriptions(headers: Record<string, string> = {}): Client {
  return createClient({
    url: ENDPOINT,
    headers: { ...headers, ...CSRF_HEADERS },
    retryAttempts: 0,
  });
}

/**
 * A picture's address on the origin that served the page, whatever origin PUBLIC_URL gives to
 * clients elsewhere: the page may load pictures from its own only.
 */
export function ownUrl(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}
