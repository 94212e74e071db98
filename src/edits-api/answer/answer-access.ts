import type { Staging } from '../../images/storage/staging.ts';
import { createAddressGuard } from '../../net/address-guard.ts';
import { NO_PROXIES, type OutboundProxies } from '../../net/outbound-proxies.ts';
import type { ReadSaved } from '../edits-api.ts';
import { EditsApiError } from '../edits-api-error.ts';
import { endpointOf } from '../endpoint.ts';
import { type AnswerHead, errorOfAnswer } from './answer-errors.ts';
import { createAnswerReader, type ReadAnswer } from './answer-reader.ts';
import { type RawAnswer, receiveText, savedBody } from './answer-receiver.ts';
import { createImageFetcher, type FetchPatience } from './image-fetcher.ts';
import { createRedactor } from './redact.ts';
import { readHead } from './stored-answer-head.ts';

const MiB = 1024 * 1024;

/** The error response's text. */
export const MAX_ERROR_BYTES = MiB;

export interface AnswerAccessOptions {
  /** Base URL of the upstream, ending in `/v1`. */
  readonly url: string;
  /** Sent only to `url`, and never part of an error. */
  readonly key: string;
  /** Keys of other upstreams, which errors must not contain either. @default none */
  readonly otherKeys?: readonly string[];
  /**
   * Whether this is the API itself, so that its statements about an edit can be trusted. @default
   * false
   */
  readonly firstHand?: boolean;
  /** Where images are staged while they arrive. */
  readonly staging: Staging;
  /**
   * Limit of the whole response. @default 512 MiB: ten images of 25 MB in base64, and spare room
   */
  readonly maxAnswerBytes?: number;
  /** Limit of one image, decoded. @default 64 MiB */
  readonly maxImageBytes?: number;
  /** Limit per response. @default 16 */
  readonly maxImages?: number;
  /** Timeout of name resolution, TCP and TLS together. @default 10_000 // 10 seconds */
  readonly connectTimeoutMs?: number;
  /** @default none */
  readonly proxies?: OutboundProxies;
  /** @default 'retouch' */
  readonly userAgent?: string;
  /** For images that a response only links to. @default 5 minutes in all */
  readonly patience?: FetchPatience;
  /**
   * How long to keep reading an event stream that has delivered all images but does not end.
   * @default 1_000 // 1 second
   */
  readonly quietMs?: number;
}

/** Reads the responses of one upstream, both live and stored ones. */
export interface AnswerAccess {
  readonly readAnswer: ReadAnswer;
  readonly readSaved: ReadSaved;
  /** Completes an error with the head of the response, and removes the key. */
  redacted(error: EditsApiError, head: AnswerHead | null): EditsApiError;
  readonly redact: (text: string) => string;
  /** Closes idle connections. */
  close(): Promise<void>;
}

export function createAnswerAccess(options: AnswerAccessOptions): AnswerAccess {
  const { staging, connectTimeoutMs = 10_000, userAgent = 'retouch', quietMs = 1_000 } = options;
  const { proxies = NO_PROXIES } = options;
  const { maxAnswerBytes = 512 * MiB, maxImageBytes = 64 * MiB, maxImages = 16 } = options;
  const { firstHand = false, patience = { totalMs: 5 * 60_000 } } = options;
  const endpoint = endpointOf(options.url, 'images/edits');
  const redact = createRedactor([options.key, ...(options.otherKeys ?? [])]);
  // The upstream's own server may have a private address, because the operator chose it.
  const guard = createAddressGuard({
    connectTimeoutMs,
    proxies,
    allow: (host, port) => host === hostOf(endpoint) && port === portOf(endpoint),
  });
  const readAnswer = createAnswerReader({
    staging,
    limits: { maxImages, maxImageBytes, maxBodyBytes: MiB },
    maxBytes: maxAnswerBytes,
    quietMs,
    firstHand,
    fetchImage: createImageFetcher({
      guard,
      staging,
      baseUrl: endpoint,
      maxImageBytes,
      userAgent,
      patience,
    }),
  });

  function redacted(error: EditsApiError, head: AnswerHead | null) {
    const { code, outcome, message, retryAfterSeconds, moderationDetails, cause } = error;
    return new EditsApiError(code, outcome, redact(message), {
      ...head,
      ...(retryAfterSeconds !== null && { retryAfterSeconds }),
      moderationDetails: moderationDetails && {
        stage: moderationDetails.stage && redact(moderationDetails.stage),
        categories: moderationDetails.categories.map(redact),
      },
      cause,
    });
  }

  return {
    readAnswer,
    redacted,
    redact,
    async readSaved({ bytes, ...options }) {
      const { head, body } = await readHead(bytes);
      const saved = savedBody(body);
      try {
        if (!isGood(head)) {
          const maxBytes = MAX_ERROR_BYTES;
          const text = await receiveText({ body: saved, raw: SAVED, maxBytes });
          throw errorOfAnswer(head, text, { firstHand });
        }
        const { httpStatus, upstreamRequestId } = head;
        return {
          httpStatus,
          upstreamRequestId,
          ...(await readAnswer(saved, SAVED, { head, ...options })),
        };
      } catch (error) {
        throw error instanceof EditsApiError ? redacted(error, head) : error;
      }
    },
    close: guard.close,
  };
}

/** Whether the status promises images. */
export const isGood = ({ httpStatus }: AnswerHead) => httpStatus >= 200 && httpStatus <= 299;

/** A stored response is not stored again. */
const SAVED: RawAnswer = { write: async () => {}, sync: async () => {}, close: async () => {} };

/** As in sockets: without the brackets of IPv6. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}
