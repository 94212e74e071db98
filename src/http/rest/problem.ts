import type { IncomingMessage, ServerResponse } from 'node:http';

/** Sends a problem report (RFC 9457), never cached. */
export function sendProblem(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  detail: string,
): void {
  for (const name of ['ETag', 'Cache-Control', 'Content-Disposition']) res.removeHeader(name);
  const body = Buffer.from(JSON.stringify({ status, detail }));
  res.writeHead(status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}
