/** A response that rejects a request because of its credential. */
export interface Rejection {
  /** Null: that of a trusted proxy. */
  readonly credential: string | null;
  /** 401 or 403. */
  readonly status: number;
  /** The service's reason; null if the response has none. */
  readonly message: string | null;
}

/** The credential of the page's requests, and whether the page may send any. */
export interface Access {
  isOpen(): boolean;
  /** Null without authentication, and if a trusted proxy adds the user to each request. */
  credential(): string | null;
  open(credential: string | null): void;
  close(): void;
  /** Aborts when the access is closed. */
  signal(): AbortSignal;
  /** Resolves when the access is open, or the signal aborts. */
  opened(signal: AbortSignal): Promise<void>;
  /** @returns A function that ends the subscription. */
  subscribe(onChange: () => void): () => void;
  reject(rejection: Rejection): void;
  /** @returns A function that ends the subscription. */
  onRejected(listener: (rejection: Rejection) => void): () => void;
}

export function createAccess(): Access {
  const changeListeners = new Set<() => void>();
  const rejectionListeners = new Set<(rejection: Rejection) => void>();
  let opened: { readonly credential: string | null; readonly end: AbortController } | null = {
    credential: null,
    end: new AbortController(),
  };

  function set(next: typeof opened) {
    const before = opened;
    opened = next;
    before?.end.abort();
    for (const listener of changeListeners) listener();
  }
  function subscribe(onChange: () => void) {
    changeListeners.add(onChange);
    return () => void changeListeners.delete(onChange);
  }

  return {
    isOpen: () => opened !== null,
    credential: () => opened?.credential ?? null,
    open: (credential) => set({ credential, end: new AbortController() }),
    close: () => set(null),
    signal: () => opened?.end.signal ?? AbortSignal.abort(),
    opened(signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => (opened !== null || signal.aborted) && resolve();
      const end = subscribe(look);
      signal.addEventListener('abort', look);
      look();
      return promise.finally(() => {
        end();
        signal.removeEventListener('abort', look);
      });
    },
    subscribe,
    reject(rejection) {
      for (const listener of rejectionListeners) listener(rejection);
    },
    onRejected(listener) {
      rejectionListeners.add(listener);
      return () => void rejectionListeners.delete(listener);
    },
  };
}

/** Open and without a credential, unless authentication is on. */
export const access: Access = createAccess();

export function credentialHeaders(credential: string | null): Record<string, string> {
  return credential === null ? {} : { authorization: `Bearer ${credential}` };
}

/**
 * Sends a request to the service with the page's credential, unless the request has its own. While
 * the access is closed it sends nothing, and returns a response that says so.
 */
export async function fetchWithAccess(
  url: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  if (!access.isOpen()) return Response.json({ errors: [{ message: SIGN_IN }] }, { status: 401 });
  const headers = new Headers(init.headers);
  const hasOwn = headers.has('authorization') || headers.has('x-api-key');
  const credential = access.credential();
  if (!hasOwn) {
    for (const [name, value] of Object.entries(credentialHeaders(credential))) {
      headers.set(name, value);
    }
  }
  const response = await fetch(url, { ...init, headers });
  if (!hasOwn && (response.status === 401 || response.status === 403)) {
    const { status } = response;
    access.reject({ credential, status, message: await readMessage(response.clone()) });
  }
  return response;
}

export const SIGN_IN = 'Sign in to continue.';

async function readMessage(response: Response): Promise<string | null> {
  const body = await response.json().catch(() => null);
  const message: unknown = body?.errors?.[0]?.message;
  return typeof message === 'string' ? message : null;
}
