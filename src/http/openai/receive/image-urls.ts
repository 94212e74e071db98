import { AddressRefusedError, InvalidInputError } from '../../../errors.ts';
import { tooLarge } from '../../../images/receive/receive-image.ts';
import type { AddressGuard } from '../../../net/address-guard.ts';
import { getImage, MAX_REDIRECTS } from '../../../net/get-image.ts';

type Response = Awaited<ReturnType<AddressGuard['request']>>;

const MAX_URL_CHARACTERS = 8_192;

export interface ImageUrlOptions {
  /** Checks the URL and each redirect. */
  readonly guard: Pick<AddressGuard, 'request'>;
  /** Maximum size of an image, inclusive. */
  readonly maxBytes: number;
  /** Limit of one image, redirects included, in milliseconds. @default 60_000 // a minute */
  readonly timeoutMs?: number;
  /** How long a server may be silent, in milliseconds. @default 15_000 // 15 seconds */
  readonly silenceMs?: number;
}

/**
 * The bytes of an image that a client linked to. No credentials are sent.
 * @throws InvalidInputError naming `field`, with the reason and the host, without the URL, which may
 *   be signed; the signal's reason.
 */
export type OpenImageUrl = (
  field: string,
  url: string,
  signal: AbortSignal,
) => AsyncGenerator<Uint8Array, void>;

export function createOpenImageUrl(options: ImageUrlOptions): OpenImageUrl {
  const { guard, maxBytes, timeoutMs = 60_000, silenceMs = 15_000 } = options;

  async function get(start: URL, signal: AbortSignal): Promise<Response> {
    const got = await getImage(guard, start, { userAgent: 'retouch', silenceMs, signal, parseUrl });
    if (got.kind === 'image') return got.response;
    throw new FetchError(
      got.kind === 'redirects'
        ? `${start.host} redirects more than ${MAX_REDIRECTS} times.`
        : `${got.url.host} answered ${got.response.statusCode}.`,
    );
  }

  return async function* open(field, address, signal) {
    const deadline = AbortSignal.timeout(timeoutMs);
    let body: Response['body'] | undefined;
    try {
      const response = await get(parseUrl(address), AbortSignal.any([signal, deadline]));
      body = response.body;
      const { 'content-encoding': coding, 'content-length': length } = response.headers;
      if (coding !== undefined && coding !== 'identity') {
        throw new FetchError('its response is compressed.');
      }
      if (Number(length ?? 0) > maxBytes) throw tooLarge(field, maxBytes);
      // Who reads it counts the bytes, and ends this when there are too many.
      yield* body;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof InvalidInputError) throw error;
      const reason = deadline.aborted
        ? `it took more than ${timeoutMs / 1_000} seconds.`
        : reasonOf(error);
      throw new InvalidInputError(
        field,
        'INVALID_VALUE',
        `${field} could not be downloaded: ${reason}`,
        { cause: error },
      );
    } finally {
      // Closes the connection of a body that was not read to its end.
      body?.on('error', () => undefined).destroy();
    }
  };
}

/** Why an image could not be downloaded, for the client. */
class FetchError extends Error {}

function parseUrl(address: string, base?: URL): URL {
  const url = address.length > MAX_URL_CHARACTERS ? null : URL.parse(address, base);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new FetchError(
      `the URL is not one of http or https, with at most ${MAX_URL_CHARACTERS.toLocaleString('en-US')} characters.`,
    );
  }
  return url;
}

function reasonOf(error: unknown): string {
  if (error instanceof FetchError) return error.message;
  // Not the address itself: what a name of this network resolves to is not for clients.
  if (error instanceof AddressRefusedError) return `${error.host} is not a public address.`;
  const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
  return `the connection failed${code}.`;
}
