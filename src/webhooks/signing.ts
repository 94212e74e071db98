import { Webhook } from 'standardwebhooks';
import type { SecretKey } from '../config/secret-key.ts';

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
 * The headers of one attempt, with two signatures while a rotated secret is still valid. Null if
 * the endpoint's secret was derived from another key.
 */
export function signedHeaders(
  key: SecretKey,
  endpoint: Signing,
  message: { id: string; body: string; at: Date },
): Record<string, string> | null {
  if (endpoint.secretKeyId !== key.id) return null;
  const { secretVersion, previousSecretUntil } = endpoint;
  const versions = [secretVersion];
  if (previousSecretUntil !== null && previousSecretUntil > message.at) {
    versions.push(secretVersion - 1);
  }
  const signatures = versions.map((version) =>
    new Webhook(secretOf(key, { id: endpoint.id, secretVersion: version })).sign(
      message.id,
      message.at,
      message.body,
    ),
  );
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(message.at.getTime() / 1_000)),
    'webhook-signature': signatures.join(' '),
  };
}
