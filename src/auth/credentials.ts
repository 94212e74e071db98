import type { IncomingHttpHeaders } from 'node:http';

/** What a request, or the first message of a socket, says about who makes it. */
export interface Credentials {
  /** The `Authorization` header. */
  readonly authorization: string | null;
  /** The `x-api-key` header. */
  readonly apiKey: string | null;
  /** The user that a trusted proxy names; null also for requests of other peers. */
  readonly proxyUser: string | null;
}

export const NO_CREDENTIALS: Credentials = { authorization: null, apiKey: null, proxyUser: null };

export function hasCredentials(credentials: Credentials): boolean {
  return Object.values(credentials).some((value) => value !== null);
}

/** The headers that any client may send. @param keyHeader Azure's API has a name of its own. */
export function credentialsOf(
  headers: IncomingHttpHeaders,
  keyHeader: 'x-api-key' | 'api-key' = 'x-api-key',
): Credentials {
  const { authorization = null, [keyHeader]: apiKey = null } = headers;
  return { authorization, apiKey: single(apiKey), proxyUser: null };
}

/** The same from the payload of `connection_init`, since browsers send no headers with a WebSocket. */
export function credentialsOfPayload(payload: Readonly<Record<string, unknown>>): Credentials {
  const names = Object.entries(payload).filter(([, value]) => typeof value === 'string');
  const lower = Object.fromEntries(names.map(([name, value]) => [name.toLowerCase(), value]));
  return {
    authorization: (lower['authorization'] as string | undefined) ?? null,
    apiKey: (lower['x-api-key'] as string | undefined) ?? null,
    proxyUser: null,
  };
}

/** Several values of a header become one, `a, b`, which is not a valid key. */
function single(value: string | readonly string[] | null): string | null {
  return typeof value === 'string' || value === null ? value : value.join(', ');
}
