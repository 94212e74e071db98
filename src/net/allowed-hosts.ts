/** Whether a host is allowed although its address is not public. Hosts have no brackets. */
export type IsAllowedHost = (host: string, port: number) => boolean;

/**
 * @param entries `host` (any port) or `host:port` as in a URL, with an IPv6 address in brackets. No
 *   subdomains, no patterns. Invalid entries allow nothing.
 */
export function createAllowedHosts(entries: readonly string[]): IsAllowedHost {
  const allowed = new Set(
    entries.flatMap((entry) => {
      const [, written = '', port = ''] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      // Normalised as in URLs: lower case, IPv4 with four parts.
      const url = URL.parse(`http://${written}`);
      return url === null ? [] : [key(url.hostname.replace(/^\[|\]$/g, ''), port)];
    }),
  );
  return (host, port) => allowed.has(key(host, '')) || allowed.has(key(host, String(port)));
}

const key = (host: string, port: string) => `${host} ${port}`;
