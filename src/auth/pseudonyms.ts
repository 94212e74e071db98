import { createHmac } from 'node:crypto';
import type { SecretKey } from '../config/secret-key.ts';

/**
 * Names owners to upstreams without revealing who they are: HMAC-SHA-256 of the owner id, 64
 * characters of hex, which is the maximum of `safety_identifier`
 * (https://platform.openai.com/docs/guides/safety-best-practices). The same in all processes. Null
 * without a secret key.
 */
export function createPseudonyms(
  secretKey: SecretKey | null,
): ((ownerId: string) => string) | null {
  if (secretKey === null) return null;
  const key = secretKey.derive('safety identifier', 32);
  return (ownerId) => createHmac('sha256', key).update(ownerId).digest('hex');
}
