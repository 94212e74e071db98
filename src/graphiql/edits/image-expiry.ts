import type { Edit } from './edit.ts';

/** URLs are renewed this long before they expire, in milliseconds. */
const MARGIN_MS = 5 * 60_000;

/** The edits with an image whose signed URL has expired, or soon will. */
export function withExpiringUrls(edits: readonly Edit[], nowMs: number): readonly Edit[] {
  return edits.filter((edit) => urlsExpireMs(edit) < nowMs + MARGIN_MS);
}

/** Infinity if the URLs are not signed. */
function urlsExpireMs({ inputImages, mask, partialImages, outputImages }: Edit): number {
  const images = [...inputImages, ...(mask ? [mask] : []), ...partialImages, ...outputImages];
  const urls = images.flatMap(({ url, thumbnailUrl }) => [url, thumbnailUrl]);
  return Math.min(...urls.map(expiresMs));
}

function expiresMs(url: string): number {
  const expires = new URL(url, 'http://localhost').searchParams.get('expires');
  return expires ? Number(expires) * 1_000 : Number.POSITIVE_INFINITY;
}
