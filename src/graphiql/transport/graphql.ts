import { type Client, createClient, NetworkError } from 'graphql-sse';
import { explainResponse } from './proxy-errors.ts';
import { noteDate } from './service-clock.ts';

/** The page's own path: a proxy may serve it below a path prefix. */
const endpoint = () => location.pathname;

/** The same with its origin, for clients elsewhere. */
export const endpointUrl = () => location.origin + endpoint();

/** Shows the server that no other site's page sent the request behind the user's back. */
const CSRF_HEADERS = { 'apollo-require-preflight': 'true' };

export const JSON_HEADERS = { 'content-type': 'application/json' };

interface Answer<Data> {
  readonly data?: Data;
  readonly errors?: readonly { readonly message: string }[];
}

export interface Operation {
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
  readonly operationName?: string | null | undefined;
}

const UNREACHABLE = 'The service cannot be reached.';

/**
 * Posts to the service and answers its JSON.
 * @throws Error for people to read, when no answer came or it is none of the service.
 */
export async function post<Json>(
  body: BodyInit,
  headers: Record<string, string>,
  signal: AbortSignal | null = null,
): Promise<Json> {
  const response = await fetch(endpoint(), {
    method: 'POST',
    headers: { accept: 'application/json', ...headers, ...CSRF_HEADERS },
    body,
    signal,
  }).catch((cause: unknown) => {
    throw new Error(UNREACHABLE, { cause });
  });
  noteDate(response);
  return response.json().catch((cause: unknown) => {
    throw new Error(explainResponse(response), { cause });
  });
}

/**
 * A query of the page's own.
 * @throws Error with the server's words when it has errors or no answer came.
 */
export async function ask<Data>(operation: Operation, signal?: AbortSignal): Promise<Data> {
  const answer = await post<Answer<Data>>(JSON.stringify(operation), JSON_HEADERS, signal);
  const { data, errors: [error] = [] } = answer;
  if (error !== undefined || data === undefined) {
    throw new Error(error?.message ?? 'The answer has no data.');
  }
  return data;
}

/** Subscriptions by server-sent events, each over a request of its own, none of them retried. */
export function createSubscriptions(headers: Record<string, string> = {}): Client {
  return createClient({
    url: endpoint(),
    headers: { ...headers, ...CSRF_HEADERS },
    retryAttempts: 0,
  });
}

/** What people are told of what a query or a subscription threw. */
export function wordsOf(error: unknown): string {
  if (error instanceof NetworkError) {
    // In graphql-sse's own words it is whatever the browser says.
    return error.response ? explainResponse(error.response as Response) : UNREACHABLE;
  }
  return error instanceof Error ? error.message : UNREACHABLE;
}

/**
 * An image's address on the origin that served the page, whatever origin PUBLIC_URL gives to
 * clients elsewhere: the page may load images from its own only.
 */
export function ownUrl(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}
