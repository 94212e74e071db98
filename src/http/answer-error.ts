import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Answers in the shape of a GraphQL error, so that clients read every refusal alike.
 * @param more Further extensions, beside the code.
 */
export function answerError(
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

export function answerUnavailable(
  res: ServerResponse,
  message: string,
  retryAfterSeconds: number,
): void {
  res.setHeader('retry-after', String(retryAfterSeconds));
  answerError(res, 503, 'UNAVAILABLE', message);
}

/** The database cannot be reached, or takes no writes. */
export function answerDatabaseAway(res: ServerResponse): void {
  answerUnavailable(res, 'The database is not available.', DATABASE_RETRY_SECONDS);
}

/** What clients are asked to wait for a database that is not available. */
export const DATABASE_RETRY_SECONDS = 5;

/** The same to a client that asked for a WebSocket; the connection ends. */
export function refuseUpgrade(socket: Duplex, status: number, code: string, message: string): void {
  const body = errorBody(code, message);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function errorBody(code: string, message: string, more: object = {}): string {
  return JSON.stringify({ errors: [{ message, extensions: { code, ...more } }] });
}
