import type { Dispatcher } from 'undici';
import type { ListedModel } from '../../models/model-list.ts';
import { NO_PROXIES, type OutboundProxies } from '../../net/outbound-proxies.ts';
import { createOutboundRequests } from '../../net/outbound-requests.ts';
import { openBody } from '../answer/answer-receiver.ts';
import { createRedactor } from '../answer/redact.ts';
import { endpointOf } from '../endpoint.ts';
import { parseModelList } from './parse-model-list.ts';

/** Far above the longest lists, which have some hundred kilobytes. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Of the whole response. */
const TIMEOUT_MS = 20_000;

/** Statuses that say nothing about whether there is a list, besides 5xx. 407 is a proxy's. */
const PASSING = new Set([407, 408, 425, 429]);

/** Reads the list of models of one upstream: `GET {url}/models`. */
export interface ModelListReader {
  /** Name of the upstream. */
  readonly upstream: string;
  /**
   * Null if the upstream has no such list: it rejects the request, or its response names no model.
   * @throws ModelListError if that is not known, because it could not be reached or has a problem.
   */
  read(signal: AbortSignal): Promise<readonly ListedModel[] | null>;
  /**
   * The same request, with the status of the response, whatever it is.
   * @throws ModelListError if no response arrived.
   */
  ask(signal: AbortSignal): Promise<{
    readonly status: number;
    /** Null: the response has no list. */
    readonly models: readonly ListedModel[] | null;
  }>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Its message contains no key. */
class ModelListError extends Error {
  override readonly name = 'ModelListError';
}

export function createModelListReader(options: {
  name: string;
  /** Base URL of the upstream, ending in `/v1`. */
  url: string;
  /** Sent only to `url`. */
  key: string;
  /** Keys of other upstreams. @default none */
  otherKeys?: readonly string[];
  /** @default none */
  proxies?: OutboundProxies;
  /** Of name resolution, TCP and TLS together. @default 10_000 // 10 seconds */
  connectTimeoutMs?: number;
  /** @default 20_000 // 20 seconds */
  timeoutMs?: number;
  /** @default 'retouch' */
  userAgent?: string;
}): ModelListReader {
  const { name, key, proxies = NO_PROXIES, userAgent = 'retouch' } = options;
  const { connectTimeoutMs = 10_000, timeoutMs = TIMEOUT_MS } = options;
  const endpoint = endpointOf(options.url, 'models');
  const redact = createRedactor([key, ...(options.otherKeys ?? [])]);
  const requests = createOutboundRequests(proxies, { connectTimeoutMs });

  async function get(signal: AbortSignal): Promise<{ status: number; text: string | null }> {
    const response = await requests.request({
      origin: endpoint.origin,
      path: endpoint.pathname + endpoint.search,
      method: 'GET',
      headers: {
        authorization: `Bearer ${key}`,
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': userAgent,
      },
      signal,
      // The next request is a day away.
      reset: true,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const { statusCode: status } = response;
    if (status >= 200 && status <= 299) return { status, text: await textOf(response) };
    response.body.on('error', () => {}).destroy();
    return { status, text: null };
  }

  async function ask(signal: AbortSignal) {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const { status, text } = await get(AbortSignal.any([signal, deadline]));
      return { status, models: text === null ? null : parseModelList(text, redact) };
    } catch (error) {
      if (deadline.aborted) throw new ModelListError(`no complete response after ${timeoutMs} ms`);
      if (error instanceof ModelListError) throw error;
      throw new ModelListError(redact(error instanceof Error ? error.message : String(error)));
    }
  }

  return {
    upstream: name,
    async read(signal) {
      const { status, models } = await ask(signal);
      if (status >= 500 || PASSING.has(status)) throw new ModelListError(`status ${status}`);
      return models;
    },
    ask,
    close: requests.close,
  };
}

/** Null if it is longer than any list. */
async function textOf({ body, headers }: Dispatcher.ResponseData): Promise<string | null> {
  const encoding = headers['content-encoding'] ?? '';
  const answer = openBody(body, String(encoding));
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.chunks) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  if (answer.cut !== null) throw new ModelListError(answer.cut.message);
  return Buffer.concat(chunks).toString();
}
