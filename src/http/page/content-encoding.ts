export type ContentEncoding = 'br' | 'gzip';

/** The smallest first. */
const OFFERED: readonly ContentEncoding[] = ['br', 'gzip'];

/**
 * The smallest that the client's `Accept-Encoding` takes (RFC 9110, 12.5.3); null: the bytes as
 * they are. Weights are heeded only where they are 0: a client that takes both is best served by br.
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
