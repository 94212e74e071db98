/** How far the service's clock is ahead of the browser's, in milliseconds. */
let aheadMs = 0;

/** Reads the service's clock from a response (RFC 9110, section 6.6.1: to the second). */
export function noteDate(response: Response): void {
  const date = Date.parse(response.headers.get('date') ?? '');
  if (!Number.isNaN(date)) aheadMs = date - Date.now();
}

/** Milliseconds since the epoch by the service's clock, to about a second. */
export function serviceNow(): number {
  return Date.now() + aheadMs;
}
