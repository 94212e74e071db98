import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { InvalidInputError } from '../errors.ts';
import type { FaultInput, FaultQueue } from './faults.ts';
import { FILES_PATH, type KeptFiles } from './kept-files.ts';
import type { SandboxModels } from './models.ts';
import { ApiRefusal } from './refusal.ts';
import { type Call, sendJson, startAnswer } from './send.ts';
import type { SandboxStats } from './stats.ts';

/** Returns false if the path belongs to another route. */
export type ControlRoute = (
  req: IncomingMessage,
  res: ServerResponse,
  call: Call & { readonly path: string },
) => Promise<boolean>;

/**
 * `/sandbox/*`, for tests and benchmarks in another process: queues and clears faults, sets the
 * listed models, reads the statistics, serves images that a response links to. Faults and models
 * must be `application/json`, which a page of another origin cannot send.
 */
export function createControlRoute(parts: {
  faults: FaultQueue;
  stats: () => SandboxStats;
  keptFiles: KeptFiles;
  models: SandboxModels;
}): ControlRoute {
  return async (req, res, call) => {
    const { faults, models } = parts;
    const file = req.method === 'GET' ? parts.keptFiles.get(call.path) : null;
    if (file !== null) {
      startAnswer(res, 200, { 'content-type': file.contentType }, call);
      res.end(file.bytes);
      return true;
    }
    switch (`${req.method} ${call.path}`) {
      case 'GET /sandbox/stats':
        sendJson(res, parts.stats(), call);
        return true;
      case 'POST /sandbox/faults':
        applyGiven(await readJson(req, 'Faults'), (given) =>
          // The queue validates each fault.
          faults.push(...((Array.isArray(given) ? given : [given]) as FaultInput[])),
        );
        sendJson(res, { queuedFaults: faults.size }, call);
        return true;
      case 'DELETE /sandbox/faults':
        faults.clear();
        sendJson(res, { queuedFaults: 0 }, call);
        return true;
      case 'PUT /sandbox/models':
        applyGiven(await readJson(req, 'Models'), models.set);
        sendJson(res, { models: models.list().length }, call);
        return true;
      case 'DELETE /sandbox/models':
        models.reset();
        sendJson(res, { models: models.list().length }, call);
        return true;
      default:
        if (call.path.startsWith(FILES_PATH)) {
          throw new ApiRefusal('No such file.', { status: 404, code: 'not_found' });
        }
        return false;
    }
  };
}

/** @param what Plural, for the message. */
async function readJson(req: IncomingMessage, what: string): Promise<unknown> {
  const body = await text(req);
  if (!/^application\/json\b/i.test(req.headers['content-type'] ?? '')) {
    throw new ApiRefusal(`${what} are an array in application/json.`);
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiRefusal('We could not parse the JSON body of your request.');
  }
}

/** Passes on what was sent, and says what is invalid about it. */
function applyGiven(given: unknown, take: (given: unknown) => void): void {
  try {
    take(given);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new ApiRefusal(error.message, { param: error.field, code: 'invalid_value' });
  }
}
