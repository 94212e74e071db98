/** Whether a host may be spoken to although its address is not public. Hosts without brackets. */
export type IsAllowedHost = (host: string, port: number) => boolean;

/**
 * @param entries `host` (any port) or `host:port`, as in a URL: an IPv6 address in brackets. No
 * subdomains, no patterns. What is no host allows nothing.
 */
export function createAllowedHosts(entries: readonly string[]): IsAllowedHost {
  const allowed = new Set(
    entries.flatMap((entry) => {
      const [, written = '', port = ''] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      // As URLs have it: lower case, IPv4 in four parts.
      const url = URL.parse(`http://${written}`);
      return url === null ? [] : [key(url.hostname.replace(/^\[|\]$/g, ''), port)];
    }),
  );
  return (host, port) => allowed.has(key(host, '')) || allowed.has(key(host, String(port)));
}

const key = (host: string, port: string) => `${host} ${port}`;
