import { type Client, createClient, NetworkError } from 'graphql-sse';
import { fetchWithAccess, SIGN_IN } from './access.ts';
import { explainResponse } from './proxy-errors.ts';
import { noteDate } from './service-clock.ts';

/** The page's own path, which may have a proxy's prefix. */
const endpoint = () => location.pathname;

/** The same with its origin, for clients elsewhere. */
export const endpointUrl = () => location.origin + endpoint();

/** Proves that no page of another site sent the request. */
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
 * Posts to the service and returns its JSON.
 * @throws Error for people if there is no response, or it is not from the service.
 */
export function post<Json>(
  body: BodyInit,
  headers: Record<string, string>,
  signal: AbortSignal | null = null,
): Promise<Json> {
  return postBy<Json>(fetchWithAccess, body, headers, signal);
}

/** The same by a `fetch` of the caller's. */
export async function postBy<Json>(
  send: typeof fetch,
  body: BodyInit,
  headers: Record<string, string>,
  signal: AbortSignal | null = null,
): Promise<Json> {
  const response = await send(endpoint(), {
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
 * Runs a query of the page.
 * @throws Error with the server's message if there are errors or no response.
 */
export async function ask<Data>(operation: Operation, signal?: AbortSignal): Promise<Data> {
  const answer = await post<Answer<Data>>(JSON.stringify(operation), JSON_HEADERS, signal);
  const { data, errors: [error] = [] } = answer;
  if (error !== undefined || data === undefined) {
    throw new Error(error?.message ?? 'The response contains no data.');
  }
  return data;
}

/** Subscribes over server-sent events, each over its own request, without retries. */
export function createSubscriptions(headers: Record<string, string> = {}): Client {
  return createClient({
    url: endpoint(),
    headers: { ...headers, ...CSRF_HEADERS },
    fetchFn: fetchWithAccess,
    retryAttempts: 0,
  });
}

/** Converts an error of a query or subscription to a message for people. */
export function wordsOf(error: unknown): string {
  if (error instanceof NetworkError) {
    // The message of graphql-sse varies by browser.
    if (!error.response) return UNREACHABLE;
    return error.response.status === 401 ? SIGN_IN : explainResponse(error.response as Response);
  }
  return error instanceof Error ? error.message : UNREACHABLE;
}

/** The path of a stored image, by its global id. */
export function imagePath(id: string, search = ''): string {
  return `${endpoint().replace(/\/graphql$/, '')}/images/${encodeURIComponent(id)}${search}`;
}

/**
 * An image's URL on the page's own origin, whatever PUBLIC_URL is, because the page may load images
 * only from there.
 */
export function ownUrl(url: string): string {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}
