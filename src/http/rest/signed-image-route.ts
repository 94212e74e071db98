import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Availability } from '../../database/availability.ts';
import type { ImageLinks } from '../../public-ids/image-links.ts';
import { sendDatabaseUnavailable } from '../send-error.ts';
import { type ImageRoute, queryOf } from './image-route.ts';
import { sendProblem } from './problem.ts';

/**
 * Serves a request for an image whose URL is signed, without credentials. A signature decides: with
 * one that is not valid the request is rejected, whatever its credentials, before any statement.
 * @returns False if the URL is not signed: the request needs credentials.
 */
export type SignedImageRoute = (
  req: IncomingMessage,
  res: ServerResponse,
  id: string,
) => Promise<boolean>;

export function createSignedImageRoute(options: {
  imageLinks: Pick<ImageLinks, 'check'>;
  imageRoute: ImageRoute<never>;
  availability: Availability;
}): SignedImageRoute {
  const { imageLinks, imageRoute, availability } = options;
  return async (req, res, id) => {
    const checked = imageLinks.check(id, queryOf(req));
    if (checked === null) return false;
    if (!checked.isValid) sendProblem(req, res, 403, checked.reason);
    else if (!(await availability.check())) sendDatabaseUnavailable(res);
    else await imageRoute(req, res, id, { signedUntil: checked.expiresAt });
    return true;
  };
}
