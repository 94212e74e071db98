import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { UnavailableError } from '../errors.ts';
import { dialectOf } from './dialect.ts';
import { DATABASE_RETRY_SECONDS, type ErrorResponse, toErrorResponse } from './error-response.ts';

/**
 * Sends an error in the shape of the route's API.
 * @param details Further machine-readable facts, beside the code.
 */
export function sendError(
  res: ServerResponse,
  status: number,
  code: string,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  retryAfterSeconds: number | null = null,
): void {
  if (retryAfterSeconds !== null) res.setHeader('retry-after', String(retryAfterSeconds));
  const error = { status, code, message, details, retryAfterSeconds };
  const rendered = dialectOf(res).renderError(error);
  const body = JSON.stringify(rendered.body);
  for (const [name, value] of Object.entries(rendered.headers ?? {})) res.setHeader(name, value);
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  res.end(body);
}

/** @param status Overrides the response's own status, if a route has a more exact one. */
export function sendErrorResponse(
  res: ServerResponse,
  { code, message, details, retryAfterSeconds, status: own }: ErrorResponse,
  status = own,
): void {
  sendError(res, status, code, message, details, retryAfterSeconds);
}

export function sendUnavailable(
  res: ServerResponse,
  message: string,
  retryAfterSeconds: number,
): void {
  sendErrorResponse(res, toErrorResponse(new UnavailableError(message, retryAfterSeconds)));
}

/** The database cannot be reached, or accepts no writes. */
export function sendDatabaseUnavailable(res: ServerResponse): void {
  sendUnavailable(res, 'The database is not available.', DATABASE_RETRY_SECONDS);
}

/** Sends an error to a client that asked for a WebSocket, and closes the connection. */
export function rejectUpgrade(socket: Duplex, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
