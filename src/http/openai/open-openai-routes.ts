import type { Config } from '../../config/config.ts';
import type { Responses } from '../../edits/submit/responses.ts';
import type { EditWaits } from '../../edits/watch/edit-waits.ts';
import { createAddressGuard } from '../../net/address-guard.ts';
import type { Services } from '../../schema/context.ts';
import type { TakePlace } from '../upload-places.ts';
import { createEditsRoute } from './edits-route.ts';
import { createModelsRoute } from './models-route.ts';
import { createOpenaiRoutes, type OpenaiRoutes } from './openai-routes.ts';
import { createReceiveEdit } from './receive/receive-edit.ts';
import { createStreamEdit } from './stream-edit.ts';
import { createSubmitEdit } from './submit-edit.ts';

export interface OpenaiApi {
  readonly routes: OpenaiRoutes;
  close(): Promise<void>;
}

/** The OpenAI-compatible API on the parts of the service. */
export function openOpenaiRoutes(options: {
  config: Config;
  services: Services;
  editWaits: EditWaits;
  responses: Responses;
  takePlace: TakePlace;
}): OpenaiApi {
  const { config, services, editWaits, responses, takePlace } = options;
  const { prisma, edits, editSubscriptions, images, uploads, blobs, models } = services;
  const guard = createAddressGuard({ proxies: config.outboundProxies });
  const routes = createOpenaiRoutes({
    editsRoute: createEditsRoute({
      receiveEdit: createReceiveEdit({
        images,
        uploads,
        takePlace,
        maxFileBytes: config.limits.imageBytes,
        links: { guard },
      }),
      edits,
      submitEdit: createSubmitEdit({ prisma, edits, editWaits }),
      streamEdit: createStreamEdit({ prisma, editSubscriptions, blobs }),
      endResponse: responses.end,
      blobs,
    }),
    modelsRoute: createModelsRoute({ models }),
  });
  return { routes, close: () => guard.close() };
}
