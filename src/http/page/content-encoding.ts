export type ContentEncoding = 'br' | 'gzip';

/** Smallest first. */
const OFFERED: readonly ContentEncoding[] = ['br', 'gzip'];

/**
 * The smallest encoding that the client's `Accept-Encoding` allows (RFC 9110, 12.5.3); null for
 * none. Weights matter only if they are 0: br is best for a client that accepts both.
 */
export function chooseEncoding(acceptEncoding: string | undefined): ContentEncoding | null {
  const taken = new Map(
    (acceptEncoding ?? '').split(',').map((part) => {
      const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
      return [name, !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))] as const;
    }),
  );
  return OFFERED.find((one) => taken.get(one) ?? taken.get('*') ?? false) ?? null;
}
