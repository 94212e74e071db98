import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Viewer } from '../../auth/viewer.ts';
import { type Models, restrictModels } from '../../models/models.ts';
import { sendError } from '../send-error.ts';

/** @param id Decoded. Null: the whole list. */
export type ModelsRoute = (
  req: IncomingMessage,
  res: ServerResponse,
  id: string | null,
  from: { readonly viewer: Viewer },
) => void;

/** `GET|HEAD /v1/models` and `/v1/models/<id>`: what the viewer may use, in OpenAI's shape. */
export function createModelsRoute({ models }: { models: Models }): ModelsRoute {
  return (req, res, id, { viewer }) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('allow', 'GET, HEAD');
      return sendError(res, 405, 'METHOD_NOT_ALLOWED', 'Models only support GET.');
    }
    const allowed = restrictModels(models, viewer.allowedModels);
    if (id === null) {
      const data = offered(allowed).map((one) => toEntry(allowed, one));
      return sendBody(req, res, { object: 'list', data });
    }
    if (isOffered(allowed, id)) return sendBody(req, res, toEntry(allowed, id));
    const message = `The model ${JSON.stringify(id)} does not exist or you do not have access to it.`;
    sendError(res, 404, 'MODEL_NOT_FOUND', message, { field: 'model' });
  };
}

/** The models of the list, each with its listed snapshots. */
function offered(models: Models): readonly string[] {
  const ids = [...models.list().map(({ id }) => id), ...named(models)];
  const all = new Set(ids.flatMap((id) => [id, ...models.listedSnapshots(id)]));
  return [...all].filter((id) => isOffered(models, id));
}

/** A snapshot of a known model is offered by its name, also while no list is known. */
function isOffered(models: Models, id: string): boolean {
  if (!models.isAllowed(id) || models.standing(id).isListed === false) return false;
  return models.get(id).known || named(models).includes(id);
}

/** Models that a person has named, so that they are offered whether or not they are known. */
function named(models: Models): readonly string[] {
  return [models.default, ...(models.allowed ?? [])];
}

function toEntry(models: Models, id: string) {
  const { listing, shutdownDate } = models.standing(id);
  return {
    id,
    object: 'model',
    created: listing?.created ?? 0,
    owned_by: listing?.ownedBy ?? 'openai',
    shutdown_date: shutdownDate,
  };
}

function sendBody(req: IncomingMessage, res: ServerResponse, value: object): void {
  const body = JSON.stringify(value);
  res.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}
