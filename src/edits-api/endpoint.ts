/**
 * A URL below the base URL of an upstream, which may have a query, such as Azure's
 * `?api-version=`.
 */
export function endpointOf(baseUrl: string, path: 'images/edits' | 'models'): URL {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}
