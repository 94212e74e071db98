import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isFresh } from '../is-fresh.ts';
import { sendError } from '../send-error.ts';

export type SchemaRoute = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * `GET|HEAD /schema.graphql`: the schema as text, for code generators.
 * @param print Called once, by the first request.
 */
export function createSchemaRoute(print: () => string): SchemaRoute {
  let printed: { body: Buffer; etag: string } | undefined;
  return (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('allow', 'GET, HEAD');
      return sendError(res, 405, 'METHOD_NOT_ALLOWED', 'The schema only supports GET.');
    }
    printed ??= tagged(print());
    const { body, etag } = printed;
    // Weak, because the same text may be compressed or not.
    res.setHeader('etag', `W/${etag}`);
    res.setHeader('cache-control', 'no-cache');
    res.setHeader('x-content-type-options', 'nosniff');
    res.setHeader('content-type', 'text/plain; charset=utf-8');
    if (isFresh(req, etag)) return void res.writeHead(304).end();
    res.writeHead(200, { 'content-length': body.length });
    res.end(req.method === 'HEAD' ? undefined : body);
  };
}

function tagged(text: string): { body: Buffer; etag: string } {
  const body = Buffer.from(text);
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}
