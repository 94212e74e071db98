import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OpenedAccess } from '../auth/access-watch.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Credentials } from '../auth/credentials.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { Log } from '../log.ts';
import { dialectOf } from './dialect.ts';
import { type ErrorResponse, toErrorResponse } from './error-response.ts';
import { sendErrorResponse } from './send-error.ts';

/** What every request must pass before a byte of its body is read. */
export interface Admission {
  /** Authenticates a request. Null: it was rejected. */
  admit(req: IncomingMessage, res: ServerResponse, log: Log): Promise<OpenedAccess | null>;
  /** Counts a request in the viewer's limits. False: it exceeds one, and was rejected. */
  count(viewer: Viewer, res: ServerResponse, log: Log): Promise<boolean>;
}

export function createAdmission(options: {
  authenticator: Authenticator;
  credentialsOf: (req: IncomingMessage) => Credentials;
  requestLimits: RequestLimits;
  /** Called when a request is authenticated. */
  onAdmitted: (req: IncomingMessage, access: OpenedAccess) => void;
}): Admission {
  const { authenticator, credentialsOf, requestLimits, onAdmitted } = options;

  function toLoggedResponse(error: unknown, log: Log, message: string): ErrorResponse {
    const response = toErrorResponse(error);
    if (response.fault === 'server') log.error({ err: error }, message);
    return response;
  }

  function reportQuotas(viewer: Viewer, res: ServerResponse): void {
    const quotas = requestLimits.quotas(viewer);
    if (quotas.length === 0) return;
    const headers = dialectOf(res).rateLimitHeaders(quotas);
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  }

  return {
    async admit(req, res, log) {
      const credentials = credentialsOf(req);
      try {
        const access = { ...(await authenticator.authenticate(credentials)), credentials };
        onAdmitted(req, access);
        return access;
      } catch (error) {
        const response = toLoggedResponse(error, log, 'could not authenticate');
        // RFC 9110, 11.6.1.
        if (response.status === 401) res.setHeader('www-authenticate', 'Bearer realm="retouch"');
        sendErrorResponse(res, response);
        return null;
      }
    },

    async count(viewer, res, log) {
      try {
        await requestLimits.take(viewer);
        reportQuotas(viewer, res);
        return true;
      } catch (error) {
        reportQuotas(viewer, res);
        sendErrorResponse(res, toLoggedResponse(error, log, 'could not count a request'));
        return false;
      }
    },
  };
}
