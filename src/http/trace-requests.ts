import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ATTRIBUTE } from '../telemetry/gen-ai-names.ts';
import type { Traces } from '../telemetry/traces.ts';
import { matchRoute } from './route-table.ts';

/**
 * Serves a request in a span that ends with its response, and continues the trace of its
 * `traceparent`. Without an SDK for traces it only serves.
 * @param serve Must not reject.
 */
export function createTraceRequests(traces: Traces) {
  if (!traces.isOn) {
    return (_: IncomingMessage, __: ServerResponse, ___: string, serve: () => Promise<void>) =>
      serve();
  }
  return async (
    req: IncomingMessage,
    res: ServerResponse,
    path: string,
    serve: () => Promise<void>,
  ): Promise<void> => {
    const { method = 'GET' } = req;
    const route = routeOf(path);
    const attributes = {
      [ATTRIBUTE.httpMethod]: method,
      [ATTRIBUTE.httpRoute]: route,
      [ATTRIBUTE.requestId]: String(res.getHeader('x-request-id')),
    };
    const options = { kind: 'SERVER', parent: req.headers, attributes } as const;
    await traces.span(route ? `${method} ${route}` : method, options, async (span) => {
      const closed = once(res, 'close');
      await serve();
      await closed;
      span.set({ [ATTRIBUTE.httpStatus]: res.statusCode });
      if (res.statusCode >= 500) span.fail(String(res.statusCode));
      else if (!res.writableFinished) span.fail('disconnected');
    });
  };
}

/** `/images/{id}` for an image; undefined for a path that is not ours. */
function routeOf(path: string): string | undefined {
  const match = matchRoute(path, false);
  if (match === null || match.name === 'openaiOther') return undefined;
  return match.id === '' ? path : path.replace(match.id, '{id}');
}
