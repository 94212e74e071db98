import { rejectUpgrade, sendError } from './send-error.ts';
import type { Routes } from './server.ts';

const MESSAGE =
  'This process is a worker (ROLE=worker): it runs edits and tells of its health at /health/live and /health/ready. The API is served by the processes with ROLE=api or all.';

/** A worker serves nothing: whoever comes here has the wrong address. */
export const WORKER_ROUTES: Routes = {
  request: (_req, res) => sendError(res, 404, 'NOT_FOUND', MESSAGE),
  upgrade: (_req, socket) => rejectUpgrade(socket, 404, 'NOT_FOUND', MESSAGE),
};
