/**
 * Where and how servers put images into a response. The edits API uses `data[i].b64_json` or
 * `data[i].url`; others wrap that in an object, call the list `images` or `output`, or swap images
 * and URLs.
 */

/** Keys of values that may contain one or several images, at any depth. */
const CONTAINERS = new Set([
  'data',
  'images',
  'image',
  'image_url',
  'output',
  'outputs',
  'result',
  'results',
  'response',
  'artifacts',
]);

/** Keys of base64 text, which may be a link instead. */
const BASE64_KEYS = new Set([
  'b64_json',
  'b64',
  'base64',
  'image_base64',
  'image_b64',
  'b64Json',
  'imageBase64',
]);

/** Keys of a link, which may be base64 text instead. */
const LINK_KEYS = new Set(['url', 'image', 'image_url', 'imageUrl']);

/** Containers that some servers fill with the image itself, or with a link to it. */
const BARE_KEYS = new Set(['data', 'images', 'output', 'result']);

/** First base64 characters of PNG, JPEG and WebP. */
const BASE64_MAGIC = ['iVBORw0KGgo', '/9j/', 'UklGR'];

const DATA = 'data:';
const HTTP = ['http://', 'https://'];

/** Length of the start that `kindOf` needs, after white space. */
export const MAX_START = 16;

/**
 * Whether a string may be an image or a link to one. `path` contains the keys from the root down,
 * with null for list indices. A list element has no key of its own.
 */
export function mayBeImage(path: readonly (string | null)[]): boolean {
  const last = path.at(-1);
  if (last === undefined) return false;
  if (last !== null && ![BASE64_KEYS, LINK_KEYS, BARE_KEYS].some((keys) => keys.has(last))) {
    return false;
  }
  if (last === null && !path.some((key) => key !== null)) return false;
  return path.slice(0, -1).every((key) => key === null || CONTAINERS.has(key));
}

/** The names of the containers of an image, from the root down; '' for the root. */
export function groupOf(path: readonly (string | null)[]): string {
  return path
    .slice(0, -1)
    .filter((key) => key !== null)
    .join('.');
}

/**
 * The kind of a string that begins with `start`; null if the start is too short.
 * @param key The string's own key; null in a list.
 */
export function kindOf(
  key: string | null,
  start: string,
  isWhole: boolean,
): 'base64' | 'data-url' | 'text' | null {
  const text = start.trimStart();
  const open = (words: readonly string[], said: string) =>
    !isWhole && words.some((word) => said.length < word.length && word.startsWith(said));
  if (text === '') return isWhole ? 'text' : null;
  const lower = text.toLowerCase();
  if (lower.startsWith(DATA)) return 'data-url';
  if (HTTP.some((scheme) => lower.startsWith(scheme))) return 'text';
  if (open([DATA, ...HTTP], lower)) return null;
  if (key !== null && BASE64_KEYS.has(key)) return 'base64';
  if (BASE64_MAGIC.some((magic) => text.startsWith(magic))) return 'base64';
  return open(BASE64_MAGIC, text) ? null : 'text';
}

/**
 * Whether a text that is not an image is a link. Only `url` may be relative, because other keys
 * often contain plain words.
 */
export function isLink(key: string | null, text: string): boolean {
  const lower = text.trim().toLowerCase();
  if (HTTP.some((scheme) => lower.startsWith(scheme))) return true;
  return key === 'url' && lower !== '' && lower !== 'null';
}
