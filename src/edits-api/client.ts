import type { Dispatcher } from 'undici';
import { NO_PROXIES } from '../net/outbound-proxies.ts';
import { NO_TRACES, type Traces } from '../telemetry/traces.ts';
import {
  type AnswerAccessOptions,
  createAnswerAccess,
  isGood,
  MAX_ERROR_BYTES,
} from './answer/answer-access.ts';
import { type AnswerHead, errorOfAnswer } from './answer/answer-errors.ts';
import {
  openBody,
  openRawAnswer,
  type RawAnswer,
  receiveText,
  withHead,
} from './answer/answer-receiver.ts';
import { waitAsked, waitUntilReset } from './answer/rate-limit-hints.ts';
import { writeHead } from './answer/stored-answer-head.ts';
import type { EditsApi, EditsApiAnswer, EditsApiCall, EditsApiRequest } from './edits-api.ts';
import { EditsApiError } from './edits-api-error.ts';
import { endpointOf } from './endpoint.ts';
import { type CallLimits, createCallLimits } from './request/call-limits.ts';
import {
  createMultipartBody,
  type ImageField,
  type MultipartBody,
} from './request/multipart-body.ts';
import { traceCall } from './request/traced-call.ts';
import { createTransport } from './request/transport.ts';
import { errorOfLimits } from './request/transport-errors.ts';

export interface EditsApiOptions extends AnswerAccessOptions {
  /** Name of the form field for several images. @default 'image[]' */
  readonly imageField?: ImageField;
  /** @default none */
  readonly traces?: Traces;
}

/**
 * The client of the edits API over HTTP. `errorOfTransport` and `errorOfAnswer` decide the outcome
 * of a failed call.
 */
export function createEditsApi(options: EditsApiOptions): EditsApi {
  const { key, imageField = 'image[]', userAgent = 'retouch', connectTimeoutMs = 10_000 } = options;
  const { firstHand = false, proxies = NO_PROXIES, traces = NO_TRACES } = options;
  const endpoint = endpointOf(options.url, 'images/edits');
  const transport = createTransport({
    endpoint,
    key,
    connectTimeoutMs,
    userAgent,
    proxies,
    traces,
  });
  const access = createAnswerAccess(options);

  async function read(
    response: Dispatcher.ResponseData,
    head: AnswerHead,
    file: RawAnswer,
    call: EditsApiCall & { limits: CallLimits; expectedImages: number },
  ) {
    const { limits, expectedImages, onPartialImage } = call;
    const raw = withHead(file, writeHead(head, header(response, 'content-type')));
    const body = openBody(response.body, header(response, 'content-encoding') ?? '');
    if (!isGood(head)) {
      throw errorOfAnswer(head, await receiveText({ body, raw, maxBytes: MAX_ERROR_BYTES }), {
        firstHand,
        location: redacted(header(response, 'location')),
        resetSeconds: waitUntilReset(response.headers, Date.now()),
      });
    }
    try {
      return await access.readAnswer(body, raw, {
        head,
        // Not aborted by the call's own deadline: at the deadline, what has arrived still counts.
        signal: call.signal ?? NEVER,
        expectedImages,
        onPartialImage,
        onReceived() {
          limits.keepDeadline();
          // Downloading its images may take minutes, and a power cut must not lose the response
          // meanwhile.
          raw.sync().catch(() => undefined);
          call.onReceived?.();
        },
      });
    } catch (error) {
      // A local failure is not caused by the deadline: the response is read again.
      const isTheirs = error instanceof EditsApiError || call.signal?.aborted === true;
      throw limits.endedBy !== null && isTheirs ? errorOfLimits(limits.endedBy, true) : error;
    }
  }

  const redacted = (text: string | null) => (text === null ? null : access.redact(text));

  function headOf(response: Dispatcher.ResponseData): AnswerHead {
    return {
      httpStatus: response.statusCode,
      upstreamRequestId: redacted(header(response, 'x-request-id'))?.slice(0, 200) ?? null,
      retryAfterSeconds: waitAsked((name) => header(response, name), Date.now()),
    };
  }

  /**
   * Converts any failure of a call to a redacted EditsApiError with the facts of the response's
   * head.
   */
  function toEditsApiError(error: unknown, head: AnswerHead | null, body: MultipartBody) {
    if (error instanceof EditsApiError) return access.redacted(error, head);
    const outcome = body.progress === 'unsent' ? 'not_processed' : 'unknown';
    const message = 'The response of the upstream could not be stored.';
    return new EditsApiError('INTERNAL', outcome, message, { ...head, cause: error });
  }

  async function edit(request: EditsApiRequest, call: EditsApiCall): Promise<EditsApiAnswer> {
    const limits = createCallLimits(call);
    const body = createMultipartBody(request, imageField);
    const expectedImages = imagesAskedFor(request);
    let head: AnswerHead | null = null;
    let raw: RawAnswer | null = null;
    try {
      if (limits.endedBy !== null) throw errorOfLimits(limits.endedBy, false);
      raw = await openRawAnswer(call.rawAnswerPath);
      const response = await transport.post(body, limits, { stream: isStreamed(request) });
      head = headOf(response);
      const answer = await read(response, head, raw, { ...call, limits, expectedImages });
      const { httpStatus, upstreamRequestId } = head;
      await raw.sync();
      return { httpStatus, upstreamRequestId, ...answer };
    } catch (error) {
      // The raw response may be inspected later. The first error says more than one of the disk.
      await raw?.sync().catch(() => undefined);
      throw toEditsApiError(error, head, body);
    } finally {
      limits.close();
      await raw?.close();
    }
  }

  return {
    edit: (request, call) => traceCall(traces, endpoint, request, () => edit(request, call)),
    readSaved: access.readSaved,
    async close() {
      await Promise.all([transport.close(), access.close()]);
    },
  };
}

function isStreamed({ fields }: EditsApiRequest): boolean {
  return fields.some(([name, value]) => name === 'stream' && value === 'true');
}

/** `n` of the request. */
function imagesAskedFor({ fields }: EditsApiRequest): number {
  const [, n = '1'] = fields.find(([name]) => name === 'n') ?? [];
  return Number(n) || 1;
}

const NEVER = new AbortController().signal;

/** The first value if a server sends several. */
function header({ headers }: Dispatcher.ResponseData, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
