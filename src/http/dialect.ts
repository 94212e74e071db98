import type { ServerResponse } from 'node:http';
import type { RequestQuota } from '../limits/request-limits.ts';

/** What every route of an API sends alike. */
export interface Dialect {
  /** The body of a response that consists of an error, as JSON, and headers that go with it. */
  renderError(error: RenderedError): {
    readonly body: object;
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** The headers that report the limits of requests per minute. Not called without a quota. */
  rateLimitHeaders(quotas: readonly RequestQuota[]): Readonly<Record<string, string>>;
}

export interface RenderedError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | null;
}

const dialects = new WeakMap<ServerResponse, Dialect>();

/** Chooses the dialect of a response. Call it before anything may be rejected. */
export function useDialect(res: ServerResponse, dialect: Dialect): void {
  dialects.set(res, dialect);
}

/** @default GRAPHQL */
export function dialectOf(res: ServerResponse): Dialect {
  return dialects.get(res) ?? GRAPHQL;
}

/** A window of requests, in seconds. */
const WINDOW_SECONDS = 60;

/** The shape of GraphQL errors, so that clients of GraphQL parse every error alike. */
const GRAPHQL: Dialect = {
  renderError: ({ code, message, details }) => ({
    body: { errors: [{ message, extensions: { code, ...details } }] },
  }),
  /**
   * The fields `RateLimit-Policy` and `RateLimit`
   * (https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10): `q` requests in
   * `w` seconds, of which `r` remain for the next `t` seconds.
   */
  rateLimitHeaders(quotas) {
    const list = (item: (quota: RequestQuota) => string) => quotas.map(item).join(', ');
    return {
      'ratelimit-policy': list(({ name, limit }) => `"${name}";q=${limit};w=${WINDOW_SECONDS}`),
      ratelimit: list(
        ({ name, remaining, resetSeconds }) => `"${name}";r=${remaining};t=${resetSeconds}`,
      ),
    };
  },
};
