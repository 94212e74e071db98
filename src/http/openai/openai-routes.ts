import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Viewer } from '../../auth/viewer.ts';
import type { Log } from '../../log.ts';
import type { ViewerRouteName } from '../route-table.ts';
import type { EditsRoute } from './edits-route.ts';
import type { ModelsRoute } from './models-route.ts';
import { rejectOther } from './other-routes.ts';

/** An authenticated request, and what the path names. */
export interface OpenaiRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Of a model; empty for a path without one. */
  readonly id: string;
  readonly viewer: Viewer;
  readonly baseUrl: string;
  readonly log: Log;
}

type OpenaiRouteName = Extract<ViewerRouteName, `openai${string}` | `azure${string}`>;

/** The OpenAI-compatible API: a handler for each of its rows in the route table. */
export type OpenaiRoutes = Readonly<Record<OpenaiRouteName, (request: OpenaiRequest) => unknown>>;

export function createOpenaiRoutes(options: {
  editsRoute: EditsRoute;
  modelsRoute: ModelsRoute;
}): OpenaiRoutes {
  const { editsRoute, modelsRoute } = options;
  const edit = ({ req, res, ...context }: OpenaiRequest, model: string | null) => {
    const requestId = String(res.getHeader('x-request-id'));
    return editsRoute(req, res, { ...context, requestId, model });
  };
  return {
    openaiEdits: (request) => edit(request, null),
    azureEdits: (request) => edit(request, decoded(request.id)),
    openaiModels: ({ req, res, viewer }) => modelsRoute(req, res, null, { viewer }),
    openaiModel: ({ req, res, id, viewer }) => modelsRoute(req, res, decoded(id), { viewer }),
    openaiOther: ({ req, res }) => rejectOther(req, res),
  };
}

/** A part of a path that is not well encoded is itself the name of nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
