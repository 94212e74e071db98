import type { Dispatcher } from 'undici';
import { AddressRefusedError, EditsApiError, StorageError } from '../errors.ts';
import type { StagedFile, Staging, StagingWriter } from '../images/staging.ts';
import type { AddressGuard } from '../net/address-guard.ts';
import { brokenAnswer } from './answer-errors.ts';
import { assertPicture } from './assert-picture.ts';

const maxRedirects = 3;

/** Fetches one picture that an answer only points at. @throws EditsApiError BROKEN_ANSWER */
export type FetchPicture = (url: string, signal: AbortSignal) => Promise<StagedFile>;

/**
 * `guard` decides where a URL may lead, anew for each redirect. The edits API key is never sent.
 * A relative URL is taken to be on the edits API's own server.
 */
export function createPictureFetcher(options: {
  guard: Pick<AddressGuard, 'request'>;
  staging: Staging;
  baseUrl: URL;
  maxImageBytes: number;
  userAgent: string;
}): FetchPicture {
  const { guard, staging, baseUrl, maxImageBytes, userAgent } = options;

  async function get(url: URL, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return guard.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': userAgent },
      signal,
    });
  }

  async function follow(start: URL, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    let url = start;
    for (let hops = 0; hops <= maxRedirects; hops += 1) {
      const response = await get(url, signal);
      const location = response.headers['location'];
      if (response.statusCode === 200) return response;
      await response.body.dump({ limit: 16 * 1024 });
      if (response.statusCode < 300 || response.statusCode > 399 || typeof location !== 'string') {
        throw brokenAnswer(`${url.host} answered ${response.statusCode}.`);
      }
      url = parseUrl(location, url);
    }
    throw brokenAnswer(`${start.host} redirects more than ${maxRedirects} times.`);
  }

  async function store(response: Dispatcher.ResponseData, writer: StagingWriter) {
    for await (const chunk of response.body) {
      if (writer.bytes + chunk.length > maxImageBytes) {
        throw brokenAnswer(`It has more than ${maxImageBytes} bytes.`);
      }
      await writer.write(chunk);
    }
    const file = await writer.finish();
    assertPicture(file);
    return file;
  }

  return async (address, signal) => {
    const writer = await staging.create();
    try {
      return await store(await follow(parseUrl(address, baseUrl), signal), writer);
    } catch (error) {
      await writer.discard();
      if (error instanceof StorageError) throw error;
      throw brokenAnswer(`A picture in the answer could not be fetched: ${reasonOf(error)}`, error);
    }
  };
}

function parseUrl(address: string, base: URL): URL {
  const url = URL.parse(address, base);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw brokenAnswer('Its URL is not one of http or https.');
  }
  return url;
}

/** Without the URL: those of pictures are often signed. */
function reasonOf(error: unknown): string {
  if (error instanceof EditsApiError || error instanceof AddressRefusedError) return error.message;
  const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
  return `The connection failed${code}.`;
}
