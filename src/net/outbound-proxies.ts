/** Proxies for outbound requests. */
export interface OutboundProxies {
  /** For http:// URLs; null for none. */
  readonly http: string | null;
  /** For https:// URLs; null to use `http`. */
  readonly https: string | null;
  /** Hosts that are reached without a proxy, as in NO_PROXY. */
  readonly except: string;
}

export const NO_PROXIES: OutboundProxies = { http: null, https: null, except: '' };

export function hasProxy({ http, https }: OutboundProxies): boolean {
  return http !== null || https !== null;
}

/** The status of a proxy that rejected a request without forwarding it; null for other errors. */
export function statusOfProxy(error: unknown): number | null {
  // undici has no error class for either.
  if (!(hasCode(error, 'UND_ERR_ABORTED') || hasCode(error, 'UND_ERR_INVALID_ARG'))) return null;
  const [, status] =
    /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(error.message) ?? [];
  return status === undefined ? null : Number(status);
}

/** By the code, because the classes would load the library. */
export function hasCode(error: unknown, code: string): error is Error {
  return error instanceof Error && 'code' in error && error.code === code;
}
