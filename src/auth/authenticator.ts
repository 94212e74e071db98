import { UnauthenticatedError } from '../errors.ts';
import { looksLikeApiKey } from './api-keys/key-format.ts';
import type { KnownKeys } from './api-keys/known-keys.ts';
import type { Credentials } from './credentials.ts';
import type { KnownOwners } from './known-owners.ts';
import type { Scope } from './scopes.ts';
import type { VerifyToken } from './tokens/verify-token.ts';
import { type Access, LOCAL_VIEWER, viewerWith } from './viewer.ts';

export interface Authenticator {
  /** Whether any method is configured. Without one, every request is the local user's. */
  readonly isOn: boolean;
  /**
   * Call this before a byte of a body is read. Makes at most two short statements, none for a
   * credential that was seen within the last seconds.
   * @throws UnauthenticatedError; ForbiddenError for a credential without rights, or a disabled
   *   owner; UnavailableError when the issuer's keys cannot be fetched.
   */
  authenticate(credentials: Credentials): Promise<Access>;
}

/** The methods that are configured; null: off. They work side by side. */
export interface Methods {
  readonly apiKeys: KnownKeys | null;
  readonly tokens: VerifyToken | null;
  /** Scopes of the users that a trusted proxy names. */
  readonly proxyScopes: readonly Scope[] | null;
}

export function createAuthenticator(options: {
  methods: Methods;
  owners: KnownOwners;
}): Authenticator {
  const { methods, owners } = options;
  const { apiKeys, tokens, proxyScopes } = methods;
  const isOn = apiKeys !== null || tokens !== null || proxyScopes !== null;

  /** A credential that the client sent decides, also if it is not valid: nothing else is tried. */
  async function find(credentials: Credentials): Promise<Access> {
    const credential = clientCredential(credentials);
    if (credential !== null) {
      if (looksLikeApiKey(credential)) return findKey(credential);
      if (tokens !== null) return tokens(credential);
      throw new UnauthenticatedError(`The credential is not valid: ${expected()}`);
    }
    const { proxyUser } = credentials;
    if (proxyScopes !== null && proxyUser !== null) {
      const viewer = viewerWith({
        ownerId: proxyUser,
        scopes: proxyScopes,
        credential: { kind: 'PROXY' },
      });
      return { viewer, expiresAt: null };
    }
    throw new UnauthenticatedError(`The request has no credentials: ${expected()}`);
  }

  async function findKey(key: string): Promise<Access> {
    const access = await apiKeys?.find(key);
    if (access) return access;
    throw new UnauthenticatedError('The API key is not valid: it is unknown, revoked or expired.');
  }

  function expected(): string {
    const ways = [
      apiKeys && 'an API key (Authorization: Bearer rt_live_…, or x-api-key)',
      tokens && 'a token of a configured issuer (Authorization: Bearer …)',
      proxyScopes && 'the user header of a trusted proxy',
    ].filter((way) => way !== null);
    return `send ${ways.join(' or ')}.`;
  }

  return {
    isOn,
    async authenticate(credentials) {
      if (!isOn) return { viewer: LOCAL_VIEWER, expiresAt: null };
      const access = await find(credentials);
      await owners.admit(access.viewer.ownerId);
      return access;
    },
  };
}

/** @throws UnauthenticatedError for another scheme than Bearer, or two different credentials. */
function clientCredential({ authorization, apiKey }: Credentials): string | null {
  const bearer = authorization === null ? null : bearerOf(authorization);
  if (bearer !== null && apiKey !== null && bearer !== apiKey) {
    throw new UnauthenticatedError(
      'Authorization and x-api-key contain different credentials: send one of them.',
    );
  }
  return bearer ?? apiKey;
}

/** RFC 6750, 2.1. */
function bearerOf(authorization: string): string {
  const [, token] = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization.trim()) ?? [];
  if (token !== undefined) return token;
  throw new UnauthenticatedError('Authorization must have the form `Bearer <credential>`.');
}
