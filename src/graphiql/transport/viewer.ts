import { credentialHeaders } from './access.ts';
import { postBy } from './graphql.ts';

/** Who is signed in. */
export interface Viewer {
  readonly id: string;
  readonly isAdmin: boolean;
}

/** The service does not accept a credential, or requires one. */
export class RejectedError extends Error {
  override name = 'RejectedError';
}

export const VIEWER_QUERY = '{ viewer { id isAdmin } }';

interface Answer {
  readonly data?: { readonly viewer: Viewer } | null;
  readonly errors?: readonly { readonly message: string }[];
}

/**
 * Returns whom the service authenticates with a credential; null for none.
 * @throws RejectedError with the service's reason; Error for people if there is no response.
 */
export async function readViewer(credential: string | null): Promise<Viewer> {
  let status = 0;
  const send: typeof fetch = async (url, init) => {
    const response = await fetch(url, init);
    ({ status } = response);
    return response;
  };
  const body = JSON.stringify({ query: VIEWER_QUERY });
  const headers = { 'content-type': 'application/json', ...credentialHeaders(credential) };
  const isRejected = () => status === 401 || status === 403;
  const { data, errors } = await postBy<Answer>(send, body, headers).catch((error: Error) => {
    throw isRejected() ? new RejectedError(error.message, { cause: error }) : error;
  });
  if (data?.viewer) return data.viewer;
  const message = errors?.[0]?.message ?? 'The response contains no data.';
  throw isRejected() ? new RejectedError(message) : new Error(message);
}
