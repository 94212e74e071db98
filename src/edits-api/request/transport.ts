import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { NO_PROXIES, type OutboundProxies, statusOfProxy } from '../../net/outbound-proxies.ts';
import { createOutboundRequests } from '../../net/outbound-requests.ts';
import { NO_TRACES, type Traces } from '../../telemetry/traces.ts';
import { EditsApiError } from '../edits-api-error.ts';
import type { CallLimits } from './call-limits.ts';
import type { MultipartBody } from './multipart-body.ts';
import { errorOfTransport } from './transport-errors.ts';

/** Sends a request to the edits API and returns the head of its response. */
export interface Transport {
  /** Sends one POST over its own connection. @throws EditsApiError if no response begins */
  post(
    body: MultipartBody,
    limits: CallLimits,
    options: { stream: boolean },
  ): Promise<Dispatcher.ResponseData>;
  /** Waits for running calls. Idempotent. */
  close(): Promise<void>;
}

/**
 * HTTP/1.1 with a new connection for each call: if a server closed a reused one at that moment, the
 * outcome would be unknown, and a handshake is cheap compared to an edit. Silence is normal while
 * an edit is made, so only the call's own limits end the wait.
 */
export function createTransport(options: {
  endpoint: URL;
  key: string;
  connectTimeoutMs: number;
  userAgent: string;
  /** @default none */
  proxies?: OutboundProxies;
  /** @default none */
  traces?: Traces;
}): Transport {
  const { endpoint, key, connectTimeoutMs, userAgent, proxies = NO_PROXIES } = options;
  const { traces = NO_TRACES } = options;
  const requests = createOutboundRequests(proxies, { connectTimeoutMs });
  return {
    async post(body, limits, { stream }) {
      try {
        return await requests.request({
          origin: endpoint.origin,
          path: endpoint.pathname + endpoint.search,
          method: 'POST',
          headers: {
            authorization: `Bearer ${key}`,
            'content-type': body.contentType,
            'content-length': String(body.contentLength),
            accept: stream ? 'text/event-stream, application/json' : 'application/json',
            'accept-encoding': 'identity',
            'user-agent': userAgent,
            ...traces.headers(),
          },
          // undici accepts any async iterable, but its types name only streams. A stream would read
          // ahead, and `progress` would overstate what was handed over.
          body: body.stream(limits.signal) as unknown as Readable,
          signal: limits.signal,
          reset: true,
          headersTimeout: 0,
          bodyTimeout: 0,
        });
      } catch (error) {
        const status = limits.endedBy === null ? statusOfProxy(error) : null;
        if (status !== null) throw refusedByProxy(status);
        throw errorOfTransport(error, body, limits.endedBy);
      }
    },
    close: requests.close,
  };
}

/** A proxy that rejects a request forwards nothing of it. */
function refusedByProxy(status: number): EditsApiError {
  const message = `The proxy of HTTPS_PROXY or HTTP_PROXY rejected the request to the upstream with status ${status}.`;
  return new EditsApiError('UNREACHABLE', 'not_processed', message);
}
