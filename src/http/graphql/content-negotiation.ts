import type { ExecutionResult } from 'graphql';
import { createGraphQLError, type FetchAPI, type Plugin } from 'graphql-yoga';
import { isAsyncIterable } from './async-iterable.ts';
import { badUpload } from './upload-map.ts';
import { MULTIPART } from './uploads.ts';

type OnRequestParse = NonNullable<Plugin['onRequestParse']>;
type RequestParser = Parameters<Parameters<OnRequestParse>[0]['setRequestParser']>[0];

/** Media types of results; a subscription uses only the last two. */
const RESULT_TYPES = [
  'application/graphql-response+json',
  'application/json',
  'text/event-stream',
  'multipart/mixed',
];

const BODY_TYPE_MESSAGE =
  'The Content-Type of the request body must be application/json, or multipart/form-data for files.';
const RESULT_TYPE_MESSAGE = `The Accept header must allow one of ${RESULT_TYPES.join(', ')}.`;
const STREAM_TYPE_MESSAGE =
  'For a subscription, the Accept header must allow text/event-stream or multipart/mixed;subscriptionSpec=1.0. Subscriptions also work over a WebSocket.';

/**
 * Rejects a body that cannot be read (415), and a request that accepts no media type of results
 * (406), before anything is read or executed.
 */
export function useContentNegotiation(): Plugin {
  return {
    onRequestParse({ request, requestParser, setRequestParser }) {
      if (!acceptsAny(request.headers.get('accept'))) throw refused(406, RESULT_TYPE_MESSAGE);
      if (requestParser) setRequestParser(parseParameters(requestParser));
      if (request.method !== 'POST') return;
      const problem = encodingProblem(request.headers.get('content-encoding'));
      if (problem !== null) throw refused(415, problem, { 'accept-encoding': 'identity' });
      if (requestParser || MULTIPART.test(request.headers.get('content-type') ?? '')) return;
      throw refused(415, BODY_TYPE_MESSAGE);
    },
  };
}

/** The problem of a request's `Content-Encoding`; null if its body can be read. */
export function encodingProblem(contentEncoding: string | null | undefined): string | null {
  const encoding = contentEncoding?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return null;
  return `Content-Encoding ${encoding.slice(0, 100)} is not supported: send the request body uncompressed.`;
}

/**
 * Sends 406 with a JSON error, whatever the client accepts, and ends a subscription that the client
 * cannot read. Must run after everything that may send a result.
 */
export function useNotAcceptable(): Plugin {
  return {
    async onResultProcess({ result, resultProcessor, setResultProcessor }) {
      if (resultProcessor !== undefined) return;
      if (isAsyncIterable(result)) await result[Symbol.asyncIterator]().return?.();
      const body = 'errors' in result ? result : { errors: [refused(406, STREAM_TYPE_MESSAGE)] };
      setResultProcessor((_, fetchApi) => notAcceptable(body, fetchApi), 'application/json');
    },
  };
}

/** Yoga treats invalid JSON in URL or form parameters as a server error. */
function parseParameters(parse: RequestParser): RequestParser {
  return async (request) => {
    try {
      return await parse(request);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw badUpload('variables and extensions must be JSON objects.');
    }
  };
}

function acceptsAny(header: string | null): boolean {
  const accepted = (header ?? '*/*').toLowerCase().split(',');
  return accepted.some((range) => {
    const type = range.split(';', 1)[0]?.trim() ?? '';
    const [family, subtype] = type.split('/');
    return RESULT_TYPES.some(
      (one) => type === '*/*' || one === type || (subtype === '*' && one.startsWith(`${family}/`)),
    );
  });
}

function refused(status: 406 | 415, message: string, headers: Record<string, string> = {}) {
  const code = status === 406 ? 'NOT_ACCEPTABLE' : 'UNSUPPORTED_MEDIA_TYPE';
  return createGraphQLError(message, { extensions: { code, http: { status, headers } } });
}

function notAcceptable({ errors = [] }: ExecutionResult, fetchApi: FetchAPI): Response {
  const shown = errors.map(({ message, extensions: { http: _, ...extensions } }) => ({
    message,
    extensions,
  }));
  return new fetchApi.Response(JSON.stringify({ errors: shown }), {
    status: 406,
    headers: { 'content-type': 'application/json; charset=utf-8' },
  });
}
