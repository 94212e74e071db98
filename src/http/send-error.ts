import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { UnavailableError } from '../errors.ts';
import { DATABASE_RETRY_SECONDS, type ErrorResponse, toErrorResponse } from './error-response.ts';

/**
 * Sends an error in the shape of a GraphQL error, so that clients parse every error alike.
 * @param more Further extensions, beside the code.
 */
export function sendError(
  res: ServerResponse,
  status: number,
  code: string,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): void {
  const body = errorBody(code, message, more);
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
  if (retryAfterSeconds !== null) res.setHeader('retry-after', String(retryAfterSeconds));
  sendError(res, status, code, message, details);
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
  const body = errorBody(code, message);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function errorBody(code: string, message: string, more: object = {}): string {
  return JSON.stringify({ errors: [{ message, extensions: { code, ...more } }] });
}
