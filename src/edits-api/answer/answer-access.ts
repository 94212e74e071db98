import type { Staging } from '../../images/storage/staging.ts';
import { createAddressGuard } from '../../net/address-guard.ts';
import { NO_PROXIES, type OutboundProxies } from '../../net/outbound-proxies.ts';
import type { ReadSaved } from '../edits-api.ts';
import { EditsApiError } from '../edits-api-error.ts';
import { type AnswerHead, errorOfAnswer } from './answer-errors.ts';
import { createAnswerReader, type ReadAnswer } from './answer-reader.ts';
import { type RawAnswer, receiveText, savedBody } from './answer-receiver.ts';
import { createPictureFetcher, type FetchPatience } from './image-fetcher.ts';
import { createRedactor } from './redact.ts';
import { readHead } from './stored-answer-head.ts';

const MiB = 1024 * 1024;

/** Of an answer that is an error: its text. */
export const MAX_ERROR_BYTES = MiB;

export interface AnswerAccessOptions {
  /** Base URL of the edits API, ending in `/v1`. */
  readonly url: string;
  /** Sent to `url` only, and never part of an error. */
  readonly key: string;
  /** Of other upstreams: never part of an error either. @default none */
  readonly otherKeys?: readonly string[];
  /** It is the API itself: what its errors say of its work can be relied on. @default false */
  readonly firstHand?: boolean;
  /** Where pictures are put while they arrive. */
  readonly staging: Staging;
  /** Of a whole answer. @default 512 MiB: ten images of 25 MB in base64, and room */
  readonly maxAnswerBytes?: number;
  /** Of one image, decoded. @default 64 MiB */
  readonly maxImageBytes?: number;
  /** In one answer. @default 16 */
  readonly maxImages?: number;
  /** Name resolution, TCP and TLS together. @default 10_000 // 10 seconds */
  readonly connectTimeoutMs?: number;
  /** @default none */
  readonly proxies?: OutboundProxies;
  /** @default 'retouch' */
  readonly userAgent?: string;
  /** With images that an answer only points at. @default 5 minutes in all */
  readonly patience?: FetchPatience;
  /**
   * How long an event stream that has brought every image, and does not end, may bring more.
   * @default 1_000 // 1 second
   */
  readonly quietMs?: number;
}

/** Reads the answers of one edits API, those that arrive and those that were kept. */
export interface AnswerAccess {
  readonly readAnswer: ReadAnswer;
  readonly readSaved: ReadSaved;
  /** An error as others may see it: with what the answer's head said, and without the key. */
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
  const endpoint = endpointOf(options.url);
  const redact = createRedactor([options.key, ...(options.otherKeys ?? [])]);
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
    quietMs,
    firstHand,
    fetchPicture: createPictureFetcher({
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

/** Where edits are sent. The base URL may have a query, as Azure's `?api-version=` is. */
export function endpointOf(baseUrl: string): URL {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/images/edits`;
  return url;
}

/** Whether the status promises images. */
export const isGood = ({ httpStatus }: AnswerHead) => httpStatus >= 200 && httpStatus <= 299;

/** What is read again is not kept again. */
const SAVED: RawAnswer = { write: async () => {}, sync: async () => {}, close: async () => {} };

/** As sockets know it: without the brackets of IPv6. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}
