import type { ServerResponse } from 'node:http';
import type { RequestQuota } from '../limits/request-limits.ts';

/** A window of requests, in seconds. */
const WINDOW_SECONDS = 60;

/**
 * The fields `RateLimit-Policy` and `RateLimit`
 * (https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10): `q` requests in
 * `w` seconds, of which `r` remain for the next `t` seconds. None without a quota.
 */
export function setRateLimitHeaders(res: ServerResponse, quotas: readonly RequestQuota[]): void {
  if (quotas.length === 0) return;
  const list = (item: (quota: RequestQuota) => string) => quotas.map(item).join(', ');
  res.setHeader(
    'ratelimit-policy',
    list(({ name, limit }) => `"${name}";q=${limit};w=${WINDOW_SECONDS}`),
  );
  res.setHeader(
    'ratelimit',
    list(({ name, remaining, resetSeconds }) => `"${name}";r=${remaining};t=${resetSeconds}`),
  );
}
