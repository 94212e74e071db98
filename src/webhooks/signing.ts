import { Webhook } from 'standardwebhooks';
import type { SecretKey, SecretKeys } from '../config/secret-key.ts';

/** Standard Webhooks allows 24 to 64. */
const SECRET_BYTES = 32;

/** The endpoint's fields that its secret is derived from. */
export interface Signing {
  readonly id: string;
  readonly secretVersion: number;
  readonly secretKeyId: string;
  readonly previousSecretUntil: Date | null;
}

/** `whsec_…`, as Standard Webhooks writes a secret. */
export function secretOf(
  key: SecretKey,
  { id, secretVersion }: Omit<Signing, 'secretKeyId' | 'previousSecretUntil'>,
): string {
  const secret = key.derive(`webhook ${id} ${secretVersion}`, SECRET_BYTES);
  return `whsec_${secret.toString('base64')}`;
}

/**
 * The headers of one attempt, with further signatures while a rotated secret is still valid: it may
 * have been derived from any of the keys. Null if the key of the endpoint's secret is not among
 * them.
 */
export function signedHeaders(
  keys: SecretKeys,
  endpoint: Signing,
  message: { id: string; body: string; at: Date },
): Record<string, string> | null {
  const { id, secretKeyId, secretVersion, previousSecretUntil } = endpoint;
  const own = keys.find(secretKeyId);
  if (own === undefined) return null;
  const secrets = [secretOf(own, { id, secretVersion })];
  if (previousSecretUntil !== null && previousSecretUntil > message.at) {
    secrets.push(...keys.all.map((key) => secretOf(key, { id, secretVersion: secretVersion - 1 })));
  }
  const signatures = secrets.map((secret) =>
    new Webhook(secret).sign(message.id, message.at, message.body),
  );
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(message.at.getTime() / 1_000)),
    'webhook-signature': signatures.join(' '),
  };
}
