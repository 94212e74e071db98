import { storableText } from './storable.ts';

const maxMessageLength = 2000;
const keyPattern = /\bsk-[\w*.-]+/gi;
const mark = '[redacted]';

/**
 * Makes what the upstream said fit to be shown: without the key, should it be echoed, without
 * anything that looks like a key, at most 2,000 characters long, and as the database can store it.
 */
export function createRedactor(key: string): (text: string) => string {
  // As a redirect may repeat it in its URL.
  const spellings = key === '' ? [] : [key, encodeURIComponent(key)];
  return (text) => {
    const withoutKey = spellings.reduce((rest, one) => rest.replaceAll(one, mark), text);
    return storableText(withoutKey.replaceAll(keyPattern, mark).slice(0, maxMessageLength));
  };
}
