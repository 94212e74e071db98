import { z } from 'zod';
import {
  publicKey,
  SCOPE_WORDS,
  TOKEN_ALGORITHMS,
  type TokenIssuerSettings,
} from '../../config/auth-settings.ts';
import { fileProblem, readJsonFile } from '../../config/json-file.ts';

const text = z.string().min(1);

const schema = z
  .array(
    z
      .strictObject({
        issuer: text,
        audience: z.union([text, z.array(text).min(1)]),
        jwksUrl: z.url({ protocol: /^https?$/ }).optional(),
        publicKey: publicKey.optional(),
        algorithms: z
          .array(z.enum(TOKEN_ALGORITHMS))
          .min(1)
          .default(['RS256', 'PS256', 'ES256', 'EdDSA']),
        scopeClaim: text.default('scope'),
        scopes: z.array(z.enum(SCOPE_WORDS)).default([]),
      })
      .refine(
        (one) => (one.jwksUrl === undefined) !== (one.publicKey === undefined),
        'must have either jwksUrl or publicKey',
      ),
  )
  .min(1)
  .refine(
    (all) => new Set(all.map(({ issuer }) => issuer)).size === all.length,
    'issuers must differ',
  );

/** Reads AUTH_JWT_FILE. @throws ConfigError */
export async function readIssuersFile(path: string): Promise<readonly TokenIssuerSettings[]> {
  const json = await readJsonFile('AUTH_JWT_FILE', path);
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw fileProblem('AUTH_JWT_FILE', path, z.prettifyError(parsed.error));
  return parsed.data.map(({ audience, jwksUrl, publicKey: key = '', ...rest }) => ({
    ...rest,
    audience: [audience].flat(),
    keys: jwksUrl === undefined ? { publicKey: key } : { jwksUrl },
  }));
}
