import { createHash } from 'node:crypto';
import {
  createRemoteJWKSet,
  decodeJwt,
  errors,
  importSPKI,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { UnauthenticatedError, UnavailableError } from '../../errors.ts';
import { assertScopes, readScopes, type Scope, withIncluded } from '../scopes.ts';
import { type Access, viewerWith } from '../viewer.ts';

/** Whose tokens are accepted, and what they mean. */
export interface TokenIssuer {
  /** `iss`, exactly. */
  readonly issuer: string;
  /** `aud` must contain one of them. */
  readonly audience: readonly string[];
  readonly keys: { readonly jwksUrl: string } | { readonly publicKey: string };
  /** Asymmetric ones only. */
  readonly algorithms: readonly string[];
  /** Path of the claim with the scopes, such as `realm_access.roles`. */
  readonly scopeClaim: string;
  /** Scopes of every token, besides those of the claim. */
  readonly scopes: readonly Scope[];
}

/** @throws as `Authenticator.authenticate`. */
export type VerifyToken = (token: string) => Promise<Access>;

/** How far the clocks of issuer and service may differ, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 5;
const JWKS_TIMEOUT_MS = 5_000;
const RETRY_AFTER_SECONDS = 5;

/** Verified tokens are kept for at most this long: a signature costs more than the rest of a request. */
const VERIFIED_MS = 60_000;
const MAX_VERIFIED = 10_000;

export function createVerifyToken(options: {
  issuers: readonly TokenIssuer[];
  /** @default the system's clock */
  now?: () => Date;
}): VerifyToken {
  const { now = () => new Date() } = options;
  const issuers = new Map(options.issuers.map((one) => [one.issuer, { ...one, key: keysOf(one) }]));
  /** By the hash of the token, oldest first. */
  const verified = new Map<string, Access & { readonly untilMs: number }>();

  return async (token) => {
    const hash = createHash('sha256').update(token).digest('base64');
    const nowMs = now().getTime();
    const known = verified.get(hash);
    if (known !== undefined && nowMs < known.untilMs) return known;
    verified.delete(hash);
    const issuer = issuers.get(issuerOf(token) ?? '');
    if (issuer === undefined) throw invalid('its issuer (iss) is not configured');
    const payload = await verify(token, issuer, now());
    const access = accessOf(issuer, payload);
    const untilMs = Math.min(nowMs + VERIFIED_MS, access.expiresAt.getTime());
    verified.set(hash, { ...access, untilMs });
    const [oldest] = verified.keys();
    if (verified.size > MAX_VERIFIED && oldest !== undefined) verified.delete(oldest);
    return access;
  };
}

type IssuerWithKeys = TokenIssuer & { readonly key: JWTVerifyGetKey };

function keysOf({ keys, algorithms }: TokenIssuer): JWTVerifyGetKey {
  if (!('jwksUrl' in keys)) {
    // A key is imported for one algorithm; `jwtVerify` has checked that the token's is listed.
    return ({ alg }) => importSPKI(keys.publicKey, alg ?? algorithms[0] ?? '');
  }
  const jwks = createRemoteJWKSet(new URL(keys.jwksUrl), { timeoutDuration: JWKS_TIMEOUT_MS });
  return async (header, token) => {
    try {
      return await jwks(header, token);
    } catch (error) {
      throw isAboutToken(error) ? error : new KeysUnavailableError(error);
    }
  };
}

/** The issuer does not respond, or not with a key set. */
class KeysUnavailableError extends Error {
  constructor(cause: unknown) {
    super('the issuer’s keys cannot be read', { cause });
  }
}

/** The key set has no key for the token, or one that cannot be used. */
function isAboutToken(error: unknown): boolean {
  const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported } = errors;
  return [JWKSNoMatchingKey, JWKSMultipleMatchingKeys, JOSENotSupported].some(
    (kind) => error instanceof kind,
  );
}

/** Before the signature is checked: it only chooses the keys to check with. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    throw invalid('it is not a JSON Web Token');
  }
}

async function verify(token: string, issuer: IssuerWithKeys, currentDate: Date) {
  try {
    const { payload } = await jwtVerify(token, issuer.key, {
      issuer: issuer.issuer,
      audience: [...issuer.audience],
      algorithms: [...issuer.algorithms],
      requiredClaims: ['sub', 'exp'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate,
    });
    return payload;
  } catch (error) {
    if (error instanceof KeysUnavailableError) {
      throw new UnavailableError(
        `The keys of the token’s issuer ${JSON.stringify(issuer.issuer)} cannot be read. Retry later.`,
        RETRY_AFTER_SECONDS,
        { cause: error },
      );
    }
    // Whatever else the token makes of the library is the token's fault.
    const code = error instanceof errors.JOSEError ? error.code : '';
    throw invalid(REASONS[code] ?? 'its signature cannot be verified');
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'it has expired',
  ERR_JWT_CLAIM_VALIDATION_FAILED:
    'iss, aud, sub, exp or nbf is missing or is not what this service expects',
  ERR_JOSE_ALG_NOT_ALLOWED: 'its algorithm is not allowed',
};

function accessOf({ issuer, scopeClaim, scopes }: TokenIssuer, payload: JWTPayload) {
  const { sub = '', exp = 0 } = payload;
  const all = withIncluded([...scopes, ...readScopes(wordsOf(payload, scopeClaim))]);
  assertScopes(all);
  return {
    // Two issuers may use the same subject for different people.
    viewer: viewerWith({ ownerId: `${issuer}|${sub}`, scopes: all, credential: { kind: 'JWT' } }),
    expiresAt: new Date(exp * 1_000),
  };
}

/** The words of a claim: a list of texts, or one text separated by blanks (RFC 8693, 4.2). */
function wordsOf(payload: JWTPayload, path: string): readonly string[] {
  // A name that contains dots, such as a URL, comes first.
  const value = Object.hasOwn(payload, path)
    ? payload[path]
    : path.split('.').reduce<unknown>(memberOf, payload);
  if (typeof value === 'string') return value.split(/\s+/);
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function invalid(reason: string): UnauthenticatedError {
  return new UnauthenticatedError(`The token is not valid: ${reason}.`);
}
