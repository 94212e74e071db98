import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { isLoopback } from '../config/config.ts';
import type { ControlRoute } from './control-route.ts';
import type { EditsRoute } from './edits-route.ts';
import { ClientGone, drain } from './form.ts';
import type { ModelsRoute } from './models-route.ts';
import { ApiRefusal } from './refusal.ts';
import { type Call, sendReply } from './send.ts';

const EDITS_PATH = '/v1/images/edits';

/** Routes requests, and turns errors into responses. */
export function createRequestListener(parts: {
  editsRoute: EditsRoute;
  modelsRoute: ModelsRoute;
  controlRoute: ControlRoute;
  origin: string;
  /** Whether only this machine can connect. */
  isLocal: boolean;
  stopping: AbortSignal;
  log: Pick<Logger, 'debug' | 'error'> | undefined;
}): RequestListener {
  return (req, res) => {
    const gone = new AbortController();
    const call: Call = {
      requestId: `req_${randomBytes(16).toString('hex')}`,
      origin: parts.origin,
      startedAtMs: performance.now(),
      signal: AbortSignal.any([gone.signal, parts.stopping]),
    };
    const path = URL.parse(req.url ?? '/', parts.origin)?.pathname ?? '/';
    res.once('close', () => {
      gone.abort();
      const status = res.headersSent ? res.statusCode : null;
      const durationMs = Math.round(performance.now() - call.startedAtMs);
      const { requestId } = call;
      parts.log?.debug({ requestId, method: req.method, path, status, durationMs }, 'sandbox');
    });
    res.on('error', () => {
      // The client disconnected between two writes; 'close' handles it.
    });
    route(req, res, { ...call, path }).catch((error: unknown) => fail(res, error, call));
  };

  async function route(
    req: IncomingMessage,
    res: ServerResponse,
    call: Call & { path: string },
  ): Promise<void> {
    if (parts.isLocal && !isLocalHost(req.headers.host)) {
      throw new ApiRefusal('The Host header must name this machine.', {
        status: 403,
        code: 'forbidden_host',
      });
    }
    if (req.method === 'POST' && call.path === EDITS_PATH) return parts.editsRoute(req, res, call);
    if (parts.modelsRoute(req, res, call)) return;
    if (await parts.controlRoute(req, res, call)) return;
    await drain(req);
    const where = `${req.method} ${call.path}`;
    if (call.path === EDITS_PATH) {
      throw new ApiRefusal(
        `Not allowed to ${req.method} on ${EDITS_PATH}. ` +
          '(HINT: Perhaps you meant to use a different HTTP method?)',
        { status: 405, code: 'method_not_supported', headers: { allow: 'POST' } },
      );
    }
    throw new ApiRefusal(`Invalid URL (${where})`, { status: 404, code: 'unknown_url' });
  }

  function fail(res: ServerResponse, error: unknown, call: Call): void {
    if (error instanceof ClientGone || call.signal.aborted || res.destroyed) return;
    if (res.headersSent) {
      parts.log?.error({ err: error, requestId: call.requestId }, 'sandbox answer cut short');
      res.destroy();
      return;
    }
    let refusal: ApiRefusal;
    if (error instanceof ApiRefusal) refusal = error;
    else {
      parts.log?.error({ err: error, requestId: call.requestId }, 'sandbox failed');
      const message = 'The server had an error while processing your request.';
      refusal = new ApiRefusal(message, { status: 500, type: 'server_error' });
    }
    sendReply(res, refusal.toReply(), call);
  }
}

/**
 * A web page can point its own name at this machine (DNS rebinding); the Host header then has that
 * name.
 */
function isLocalHost(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isLoopback(name.toLowerCase());
}
