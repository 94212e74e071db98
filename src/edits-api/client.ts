import { createReadStream } from 'node:fs';
import type { Dispatcher } from 'undici';
import { EditsApiError } from '../errors.ts';
import type { Staging } from '../images/staging.ts';
import { createAddressGuard } from '../net/address-guard.ts';
import { NO_PROXIES, type OutboundProxies } from '../net/outbound-proxies.ts';
import { parseRetryAfter } from '../net/retry-after.ts';
import { type AnswerHead, errorOfAnswer } from './answer-errors.ts';
import { createAnswerReader } from './answer-reader.ts';
import { decodeContent, openRawAnswer, type RawAnswer, receiveText } from './answer-receiver.ts';
import { type CallLimits, createCallLimits } from './call-limits.ts';
import type { EditsApi, EditsApiCall, EditsApiRequest } from './edits-api.ts';
import { createMultipartBody, type ImageField, type MultipartBody } from './multipart-body.ts';
import { createPictureFetcher } from './picture-fetcher.ts';
import { createRedactor } from './redact.ts';
import { createTransport } from './transport.ts';
import { errorOfLimits } from './transport-errors.ts';

const MiB = 1024 * 1024;

export interface EditsApiOptions {
  /** Base URL, ending in `/v1`. */
  readonly url: string;
  /** Sent to `url` only, and never part of an error. */
  readonly key: string;
  /** Where pictures are put while they arrive. */
  readonly staging: Staging;
  /** How several pictures are named. @default 'image[]' */
  readonly imageField?: ImageField;
  /** Of a whole answer. @default 512 MiB: ten pictures of 25 MB in base64, and room */
  readonly maxAnswerBytes?: number;
  /** Of one picture, decoded. @default 64 MiB */
  readonly maxImageBytes?: number;
  /** In one answer. @default 16 */
  readonly maxImages?: number;
  /** Name resolution, TCP and TLS together. @default 10_000 // 10 seconds */
  readonly connectTimeoutMs?: number;
  /** @default none */
  readonly proxies?: OutboundProxies;
  /** @default 'retouch' */
  readonly userAgent?: string;
}

/** The edits API over HTTP. What a failed call cost is told by `errorOfTransport` and `errorOfAnswer`. */
export function createEditsApi(options: EditsApiOptions): EditsApi {
  const { key, staging, imageField = 'image[]', userAgent = 'retouch' } = options;
  const { maxAnswerBytes = 512 * MiB, maxImageBytes = 64 * MiB, maxImages = 16 } = options;
  const { connectTimeoutMs = 10_000, proxies = NO_PROXIES } = options;
  const endpoint = endpointOf(options.url);
  const redact = createRedactor(key);
  const transport = createTransport({ endpoint, key, connectTimeoutMs, userAgent, proxies });
  // The edits API's own server may be a private one: somebody chose it.
  const guard = createAddressGuard({
    connectTimeoutMs,
    proxies,
    allow: (host, port) => host === hostOf(endpoint) && port === portOf(endpoint),
  });
  const readAnswer = createAnswerReader({
    staging,
    limits: { maxImages, maxImageBytes, maxBodyBytes: MiB },
    maxBytes: maxAnswerBytes,
    fetchPicture: createPictureFetcher({
      guard,
      staging,
      baseUrl: endpoint,
      maxImageBytes,
      userAgent,
    }),
  });

  async function read(
    response: Dispatcher.ResponseData,
    head: AnswerHead,
    raw: RawAnswer,
    { limits, onPartialImage }: Pick<EditsApiCall, 'onPartialImage'> & { limits: CallLimits },
  ) {
    const body = decodeContent(response.body, header(response, 'content-encoding') ?? '');
    if (head.httpStatus < 200 || head.httpStatus > 299) {
      throw errorOfAnswer(head, await receiveText({ body, raw, maxBytes: MiB }));
    }
    try {
      return await readAnswer(body, raw, { signal: limits.signal, onPartialImage });
    } catch (error) {
      throw limits.endedBy === null ? error : errorOfLimits(limits.endedBy, true);
    }
  }

  function readHead(response: Dispatcher.ResponseData): AnswerHead {
    const requestId = header(response, 'x-request-id');
    return {
      httpStatus: response.statusCode,
      upstreamRequestId: requestId === null ? null : redact(requestId).slice(0, 200),
      retryAfterSeconds: parseRetryAfter(header(response, 'retry-after'), Date.now()),
    };
  }

  /** The one shape in which a call fails: told apart, with what the answer's head said, redacted. */
  function toEditsApiError(error: unknown, head: AnswerHead | null, body: MultipartBody) {
    if (error instanceof EditsApiError) {
      const { code, outcome, message, cause } = error;
      return new EditsApiError(code, outcome, redact(message), { ...head, cause });
    }
    const outcome = body.progress === 'unsent' ? 'not_processed' : 'unknown';
    const message = 'The answer of the edits API could not be kept.';
    return new EditsApiError('INTERNAL', outcome, message, { ...head, cause: error });
  }

  return {
    async edit(request, call) {
      const limits = createCallLimits(call);
      const body = createMultipartBody(request, imageField);
      let head: AnswerHead | null = null;
      let raw: RawAnswer | null = null;
      try {
        if (limits.endedBy !== null) throw errorOfLimits(limits.endedBy, false);
        raw = await openRawAnswer(call.rawAnswerPath);
        const response = await transport.post(body, limits, { stream: isStreamed(request) });
        head = readHead(response);
        const { images, body: said } = await read(response, head, raw, { ...call, limits });
        const { httpStatus, upstreamRequestId } = head;
        return { httpStatus, upstreamRequestId, images, body: said };
      } catch (error) {
        throw toEditsApiError(error, head, body);
      } finally {
        limits.close();
        await raw?.close();
      }
    },
    async readSaved(rawAnswerPath, signal) {
      const { images, body } = await readAnswer(createReadStream(rawAnswerPath), SAVED, { signal });
      // Only whole answers of pictures can be read; the head was not saved.
      return { httpStatus: 200, upstreamRequestId: null, images, body };
    },
    async close() {
      await Promise.all([transport.close(), guard.close()]);
    },
  };
}

function isStreamed({ fields }: EditsApiRequest): boolean {
  return fields.some(([name, value]) => name === 'stream' && value === 'true');
}

/** What is read again is not kept again. */
const SAVED: RawAnswer = { write: async () => {}, close: async () => {} };

/** Of a base URL, which may have a query, as Azure's `?api-version=` is. */
function endpointOf(baseUrl: string): URL {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/images/edits`;
  return url;
}

/** As sockets know it: without the brackets of IPv6. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

/** The first one when a server sends several. */
function header({ headers }: Dispatcher.ResponseData, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
