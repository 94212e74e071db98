import { z } from 'zod';
import { list, text } from './setting-schemas.ts';

/** Symmetric algorithms would let anyone who can verify a token make one (RFC 8725, 3.1). */
export const TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

export const SCOPE_WORDS = ['read', 'edit', 'admin'] as const;

/** Whose JSON Web Tokens are accepted. */
export interface TokenIssuerSettings {
  readonly issuer: string;
  readonly audience: readonly string[];
  /** `publicKey` is a PEM text (SPKI). */
  readonly keys: { readonly jwksUrl: string } | { readonly publicKey: string };
  readonly algorithms: readonly string[];
  /** Path of the claim that has the scopes. */
  readonly scopeClaim: string;
  /** Of every token, besides those of the claim. */
  readonly scopes: readonly ScopeWord[];
}

export type ScopeWord = (typeof SCOPE_WORDS)[number];

/** The methods of authentication; each is off unless it is configured. */
export interface AuthSettings {
  readonly apiKeys: boolean;
  readonly issuers: readonly TokenIssuerSettings[];
  /** JSON file with further issuers. */
  readonly issuersFile: string | null;
  /** The header in which a trusted proxy names the user, in lower case. */
  readonly header: { readonly name: string; readonly scopes: readonly ScopeWord[] } | null;
}

export function isAuthOn({ apiKeys, issuers, issuersFile, header }: AuthSettings): boolean {
  return apiKeys || issuers.length > 0 || issuersFile !== null || header !== null;
}

export const scopeWords = list.pipe(
  z.array(z.enum(SCOPE_WORDS, 'must be read, edit or admin, separated by commas')).min(1),
);

export const algorithms = list.pipe(
  z
    .array(
      z.enum(
        TOKEN_ALGORITHMS,
        `must be asymmetric algorithms, separated by commas: ${TOKEN_ALGORITHMS.join(', ')}`,
      ),
    )
    .min(1),
);

export const headerName = text
  .regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, 'must be the name of a header, such as x-forwarded-user')
  .transform((name) => name.toLowerCase())
  .refine(
    (name) => !['authorization', 'x-api-key', 'cookie', 'host'].includes(name),
    'must be a header that clients do not send themselves, such as x-forwarded-user',
  );

/** An environment variable has no line breaks of its own: `\n` stands for them. */
export const publicKey = text
  .transform((value) => value.replaceAll('\\n', '\n'))
  .refine(
    (value) => /^-----BEGIN PUBLIC KEY-----\s[\s\S]+-----END PUBLIC KEY-----\s*$/.test(value),
    'must be a public key as PEM (-----BEGIN PUBLIC KEY-----), with \\n for line breaks',
  );
