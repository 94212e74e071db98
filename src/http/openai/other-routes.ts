import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendError } from '../send-error.ts';

/** The rest of OpenAI's API: 404, with what this service is for. */
export function rejectOther(req: IncomingMessage, res: ServerResponse): void {
  const path = (req.url ?? '/').split('?', 1)[0] ?? '/';
  const reason = REASONS.find(([suffix]) => path.endsWith(suffix))?.[1] ?? '';
  sendError(res, 404, 'UNKNOWN_URL', `${reason}${req.method} ${path} is not available. ${PURPOSE}`);
}

const REASONS: readonly (readonly [suffix: string, reason: string])[] = [
  ['/images/generations', 'Retouch edits images and does not generate them from text alone. '],
  ['/images/variations', 'Retouch has no variations: edit the image with a prompt instead. '],
];

const PURPOSE =
  'Retouch edits images: use POST /v1/images/edits and GET /v1/models, or the GraphQL API at /graphql.';
