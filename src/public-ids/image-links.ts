import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SecretKey, SecretKeys } from '../config/secret-key.ts';
import { encodeGlobalId } from './global-id.ts';

/** How long the signature of a URL may be valid, in seconds. */
export const SIGNED_SECONDS = { min: 60, max: 7 * 24 * 60 * 60, default: 60 * 60 } as const;

const DAY_SECONDS = 24 * 60 * 60;

/** Characters of a key's id in a signature: enough to tell the configured keys apart. */
const KEY_ID_LENGTH = 8;

/**
 * URLs of images, for GraphQL, REST, webhooks and exports. With authentication they are signed, so
 * that an `<img>` can load them without credentials until they expire.
 */
export interface ImageLinks {
  /**
   * @param baseUrl The service's own, with its path prefix, without a trailing slash.
   * @param options.width Of a thumbnail; absent for the image itself.
   * @param options.seconds The URL works for at least as long, and at most a quarter longer, so
   *   that it stays the same for a while. @default SIGNED_SECONDS.default
   */
  url(baseUrl: string, id: string, options?: { width?: number; seconds?: number }): string;
  /** The same for webhooks and exports, whose links work for SIGNED_LINK_DAYS. */
  lastingUrl(baseUrl: string, id: string): string;
  /**
   * Checks the signature in the query of a request for an image. It covers the image, the width and
   * the expiry. Null: there is none, or URLs are not signed.
   * @param globalId As in the path.
   */
  check(globalId: string, query: URLSearchParams): SignatureCheck | null;
}

export type SignatureCheck =
  | { readonly isValid: true; readonly expiresAt: Date }
  | { readonly isValid: false; readonly reason: string };

/** @param options.keys Null: URLs are not signed. */
export function createImageLinks(options: {
  keys: SecretKeys | null;
  /** For `lastingUrl`. */
  lastingSeconds: number;
  /** @default the system's clock */
  now?: () => Date;
}): ImageLinks {
  const { keys, lastingSeconds, now = () => new Date() } = options;
  const signers = keys === null ? [] : keys.all.map(createSigner);
  const [signer] = signers;

  const nowSeconds = () => now().getTime() / 1_000;

  function url(
    baseUrl: string,
    id: string,
    { width, seconds = SIGNED_SECONDS.default }: { width?: number; seconds?: number } = {},
  ): string {
    const globalId = encodeGlobalId('Image', id);
    const query = new URLSearchParams(width === undefined ? {} : { w: String(width) });
    if (signer !== undefined) {
      query.set('expires', String(expiry(nowSeconds(), seconds)));
      query.set('signature', `${signer.id}.${signer.sign(signedText(globalId, query))}`);
    }
    const suffix = query.size === 0 ? '' : `?${query}`;
    return `${baseUrl}/images/${globalId}${suffix}`;
  }

  function isGenuine(globalId: string, query: URLSearchParams): boolean {
    const isPlain = SIGNED.every((name) => query.getAll(name).length <= 1);
    const [, keyId, signature = ''] = SIGNATURE.exec(query.get('signature') ?? '') ?? [];
    const own = signers.find(({ id }) => id === keyId);
    if (!isPlain || own === undefined) return false;
    const expected = own.sign(signedText(globalId, query));
    return timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
  }

  return {
    url,
    lastingUrl: (baseUrl, id) => url(baseUrl, id, { seconds: lastingSeconds }),
    check(globalId, query) {
      const isSigned = query.has('signature') || query.has('expires');
      if (signer === undefined || !isSigned) return null;
      if (!isGenuine(globalId, query)) return { isValid: false, reason: ALTERED };
      const expires = Number(query.get('expires'));
      if (expires <= nowSeconds()) return { isValid: false, reason: EXPIRED };
      return { isValid: true, expiresAt: new Date(expires * 1_000) };
    },
  };
}

const SIGNED = ['w', 'expires', 'signature'];
const SIGNATURE = new RegExp(`^([\\da-f]{${KEY_ID_LENGTH}})\\.([\\w-]{43})$`);

const ALTERED =
  'The signature of this URL is not valid: the URL was altered, or its key is no longer in use. Query Image.url again.';
const EXPIRED = 'This URL has expired. Query Image.url again.';

function createSigner(secretKey: SecretKey) {
  const key = secretKey.derive('image urls', 32);
  return {
    id: secretKey.id.slice(0, KEY_ID_LENGTH),
    sign: (text: string) => createHmac('sha256', key).update(text).digest('base64url'),
  };
}

/** Unambiguous: neither the id in a path nor a genuine expiry contains a line break. */
function signedText(globalId: string, query: URLSearchParams): string {
  return [globalId, query.get('w') ?? '', query.get('expires') ?? ''].join('\n');
}

/**
 * Rounded up to the next multiple of a quarter of the lifetime, a day at most: until then, every
 * response has the same URL, which browsers have cached.
 */
function expiry(nowSeconds: number, lifetimeSeconds: number): number {
  const step = Math.min(Math.ceil(lifetimeSeconds / 4), DAY_SECONDS);
  return Math.ceil((nowSeconds + lifetimeSeconds) / step) * step;
}
