import { encodeGlobalId } from './global-id.ts';

/** @param baseUrl The service's own, with its path prefix, without a trailing slash. */
export function imageUrl(baseUrl: string, id: string): string {
  return `${baseUrl}/images/${encodeGlobalId('Image', id)}`;
}
