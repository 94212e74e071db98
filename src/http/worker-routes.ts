import { rejectUpgrade, sendError } from './send-error.ts';
import type { Routes } from './server.ts';

const MESSAGE =
  'This process has ROLE=worker: it runs edits and serves only /health/live and /health/ready. Processes with ROLE=api or ROLE=all serve the API.';

/** A worker serves no API, so the client has the wrong address. */
export const WORKER_ROUTES: Routes = {
  request: (_req, res) => sendError(res, 404, 'NOT_FOUND', MESSAGE),
  nameOf: () => 'none',
  upgrade: (_req, socket) => rejectUpgrade(socket, 404, 'NOT_FOUND', MESSAGE),
};
