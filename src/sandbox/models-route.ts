import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkKey } from './check-key.ts';
import type { SandboxModels } from './models.ts';
import { ApiRefusal } from './refusal.ts';
import { type Call, sendJson } from './send.ts';

const PATH = /^\/v1\/models(?:\/(.+))?$/;

/** Returns false if the path belongs to another route. */
export type ModelsRoute = (
  req: IncomingMessage,
  res: ServerResponse,
  call: Call & { readonly path: string },
) => boolean;

/** `GET /v1/models` and `GET /v1/models/<id>`. Counts in no statistics, takes no fault. */
export function createModelsRoute(parts: {
  models: SandboxModels;
  apiKey: string | null;
}): ModelsRoute {
  const { models, apiKey } = parts;
  return (req, res, call) => {
    const match = req.method === 'GET' ? PATH.exec(call.path) : null;
    if (match === null) return false;
    const unauthorized = checkKey(req, apiKey);
    if (unauthorized !== null) throw unauthorized;
    const [, encodedId] = match;
    if (encodedId === undefined) {
      sendJson(res, { object: 'list', data: models.list() }, call);
      return true;
    }
    const id = decoded(encodedId);
    const model = models.get(id);
    if (model === null) {
      throw new ApiRefusal(`The model '${id}' does not exist`, {
        status: 404,
        param: 'model',
        code: 'model_not_found',
      });
    }
    sendJson(res, model, call);
    return true;
  };
}

/** As it is if it is not valid. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
