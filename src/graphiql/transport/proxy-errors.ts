/** Advice on a response of a proxy in front of the service, by status. */
const ADVICE: Readonly<Record<number, string>> = {
  413:
    'A proxy in front of Retouch rejected the request: its body is larger than the proxy allows. ' +
    'Raise the limit there (nginx: client_max_body_size; its default is 1 MB), or send smaller images.',
  502: 'A proxy in front of Retouch got no response from it. A submitted edit continues.',
  503: 'A proxy in front of Retouch cannot reach it. Try again in a moment.',
  504:
    'A proxy in front of Retouch stopped waiting for the response. The edit continues: find it  under ' +
    'Edits. Raise the timeout of the proxy (nginx: proxy_read_timeout; its default is 60 s), or ' +
    'set a lower `wait`.',
};

/** Cloudflare's own statuses for the same two cases. */
const SAME: Readonly<Record<number, number>> = { 520: 502, 521: 503, 522: 503, 523: 503, 524: 504 };

/** Explains a response that is not JSON, with its status. */
export function explainResponse({ status, statusText }: Response): string {
  const advice = ADVICE[SAME[status] ?? status];
  const name = [status, statusText].join(' ').trim();
  return advice ? `${advice} (${name})` : `The response is not JSON: ${name}`;
}
