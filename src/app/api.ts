import { join } from 'node:path';
import { LOCAL_VIEWER } from '../auth/viewer.ts';
import type { Config } from '../config/config.ts';
import { createDeleteEdits } from '../edits/deletion/delete-edits.ts';
import { createCancelEdit } from '../edits/end/cancel-edit.ts';
import { createRecordSuccess } from '../edits/end/record-success.ts';
import { createHistory } from '../edits/history/history.ts';
import { createEstimateEdit } from '../edits/input/estimate-edit.ts';
import { createLineage } from '../edits/lineage/lineage.ts';
import { createPrompts } from '../edits/prompts/prompts.ts';
import { createRereadAnswer } from '../edits/run/reread-answer.ts';
import { createBacklog } from '../edits/submit/backlog.ts';
import { createCostBound } from '../edits/submit/cost-bound.ts';
import { createEdits } from '../edits/submit/edits.ts';
import { createReserveCost } from '../edits/submit/reserve-cost.ts';
import { createSubmitAndWait } from '../edits/submit/submit-and-wait.ts';
import { createEditSubscriptions } from '../edits/watch/edit-subscriptions.ts';
import { createEditWaits } from '../edits/watch/edit-waits.ts';
import type { KnownUpstream } from '../edits-api/upstreams.ts';
import { createExportEdits } from '../export/export-edits.ts';
import { createApiRoutes, type Endpoint } from '../http/api-routes.ts';
import { createCors } from '../http/cors.ts';
import { createForwarded } from '../http/forwarded.ts';
import { createGraphql, type Graphql } from '../http/graphql/graphql.ts';
import { createGraphqlSockets } from '../http/graphql/graphql-sockets.ts';
import { createRequestOrigins } from '../http/origin.ts';
import { createGraphiqlRoute } from '../http/page/graphiql-route.ts';
import { createExportRoute } from '../http/rest/export-route.ts';
import { createImageRoute } from '../http/rest/image-route.ts';
import { createSchemaRoute } from '../http/rest/schema-route.ts';
import { createUploadRoute } from '../http/rest/upload-route.ts';
import type { Routes } from '../http/server.ts';
import { createStalledResponses } from '../http/stalled-responses.ts';
import { createTakePlace, createUploadPlaces } from '../http/upload-places.ts';
import { mediaOf } from '../images/images.ts';
import { createUploads } from '../images/receive/uploads.ts';
import { blobKey } from '../images/storage/blob-key.ts';
import { MAKE_THUMBNAILS } from '../images/thumbnails/make-thumbnails.ts';
import { createSetBudget } from '../limits/set-budget.ts';
import type { Log } from '../log.ts';
import { createModels } from '../models/models.ts';
import { createTrustedProxies } from '../net/trusted-proxies.ts';
import { parseGlobalId } from '../public-ids/global-id.ts';
import type { Services } from '../schema/context.ts';
import { createSubgraph, schema } from '../schema/index.ts';
import { printSorted } from '../schema/print-schema.ts';
import { createSharedReads } from '../schema/shared-reads.ts';
import { createLedger } from '../usage/ledger.ts';
import { createUsageReports } from '../usage/report.ts';
import { createRepriceJobs } from '../usage/reprice.ts';
import { createWebhooks } from '../webhooks/webhooks.ts';
import type { Foundation, Stops } from './shared-parts.ts';
import { defaultModelOf, openAnswerReaders } from './upstreams.ts';

/** What `npm run build:page` makes of src/graphiql. */
const GRAPHIQL_DIR = join(import.meta.dirname, '../../build/graphiql');

/** The half that serves: GraphQL over every transport, and pictures. */
export interface ApiHalf {
  readonly routes: Routes;
  /**
   * Waits `graceMs` for the edits that somebody waits for, answers those who still do with the job
   * as it is, and ends subscriptions, so that clients go on elsewhere. New requests must be refused
   * before.
   */
  drain(options: { graceMs: number }): Promise<void>;
}

/** @param options.upstreams As this process knows them. */
export async function createApi(options: {
  foundation: Foundation;
  upstreams: readonly KnownUpstream[];
  config: Config;
  log: Log;
  stops: Stops;
}): Promise<ApiHalf> {
  const { foundation, upstreams, config, log, stops } = options;
  const { limits, http } = config;
  const { prisma, events, queue, images, blobs, thumbnails, staging, lull } = foundation;
  const { availability, secretKey, isAllowedHost, onEnd, prices, budgets } = foundation;

  const models = createModels({
    known: foundation.knownModels,
    default: config.models.default ?? (await defaultModelOf(config.editsApi)),
    allowed: config.models.allowed,
  });
  const sandbox = config.editsApi.kind === 'sandbox';
  const backlog = createBacklog({ prisma, maxQueued: limits.queuedEdits });
  const costBound = createCostBound({ prisma, models, prices });
  const reserveCost = createReserveCost({ budgets, models, costBound });
  const editWaits = createEditWaits({ endings: foundation.endings });
  const history = createHistory({ prisma });
  const editSubscriptions = createEditSubscriptions({ prisma, history, events, log });

  const readers = await openAnswerReaders({
    editsApi: config.editsApi,
    proxies: config.outboundProxies,
    staging,
  });
  stops.unshift(() => readers.close());
  const rereadAnswer = createRereadAnswer({
    prisma,
    images,
    storedAnswers: foundation.storedAnswers,
    recordSuccess: createRecordSuccess({ images, events, ledger: createLedger({ prices }), onEnd }),
    readerOf: readers.readerOf,
    onSucceeded: (jobId) => queue.send(prisma, MAKE_THUMBNAILS, { jobIds: [jobId] }),
    log,
  });
  const uploads = createUploads({
    prisma,
    images,
    staging,
    lull,
    maxBytes: limits.imageBytes,
    maxPixels: limits.imagePixels,
  });
  const services: Services = {
    prisma,
    edits: createEdits({ prisma, queue, images, models, backlog, budgets, reserveCost, sandbox }),
    budgets,
    setBudget: createSetBudget({ prisma }),
    estimateEdit: createEstimateEdit({ models, prices, costBound, sandbox }),
    cancelEdit: createCancelEdit({ prisma, events, onEnd }),
    deleteEdits: createDeleteEdits({ prisma, queue, events }),
    rereadAnswer,
    submitAndWait: createSubmitAndWait({ editWaits }),
    history,
    lineage: createLineage({ prisma }),
    prompts: createPrompts({ prisma }),
    editSubscriptions,
    sharedReads: createSharedReads(),
    images,
    uploads,
    blobs,
    models,
    prices,
    repriceJobs: createRepriceJobs({ prisma, prices }),
    upstreams,
    pauses: foundation.pauses,
    usageReports: createUsageReports({ prisma }),
    webhooks: createWebhooks({ prisma, queue, secretKey, isAllowedHost }),
  };
  const forwarded = createForwarded({
    isTrusted: createTrustedProxies(http.trustedProxies),
    hasProxies: http.trustedProxies.length > 0,
  });
  const takePlace = createTakePlace(
    createUploadPlaces({ maxBytes: limits.concurrentUploadBytes }),
    forwarded.client,
  );
  const maxFileBytes = limits.imageBytes;
  const serve = (graphql: Graphql): Endpoint => ({
    graphql,
    sockets: createGraphqlSockets({ graphql }),
  });
  const common = { services, maxFileBytes, takePlace, log };
  const standalone = serve(createGraphql({ ...common, path: '/graphql', schema }));
  // On a path of its own: a gateway must not meet `Query.node`, and a client must not miss it.
  const federated = serve(
    createGraphql({
      ...common,
      path: '/graphql/subgraph',
      schema: createSubgraph(http.subgraphTypePrefix),
    }),
  );
  const endpoints = [standalone, federated];
  const stalled = createStalledResponses({
    onStalled: () => log.info('a client reads no more of its answer: cut off'),
  });
  stops.unshift(() => stalled.stop());

  return {
    routes: createApiRoutes({
      prefix: http.prefix,
      origins: createRequestOrigins({
        publicUrl: http.publicUrl,
        allowedHosts: http.allowedHosts,
        corsOrigins: http.corsOrigins,
        forwarded,
      }),
      cors: createCors({ origins: http.corsOrigins }),
      corsOrigins: http.corsOrigins,
      viewer: LOCAL_VIEWER,
      endpoints,
      graphiql: createGraphiqlRoute({ dir: GRAPHIQL_DIR, sandbox }),
      imageRoute: createImageRoute({
        find: async (viewer, globalId) => {
          const id = parseGlobalId(globalId);
          if (id?.typename !== 'Image') return null;
          const image = await images.find(viewer, id.id);
          return image && { ...image, format: mediaOf(image.format).name, key: blobKey(image) };
        },
        blobs,
        thumbnails,
        onError: (error, imageId) => log.error({ err: error, imageId }, 'picture not served'),
      }),
      uploadRoute: createUploadRoute({
        uploads,
        images,
        takePlace,
        maxFileBytes,
        onError: (error) => log.error({ err: error }, 'upload failed'),
      }),
      exportRoute: createExportRoute({
        exportEdits: createExportEdits({ prisma, history }),
        onError: (error) => log.error({ err: error }, 'history not exported'),
      }),
      schemaRoute: createSchemaRoute(printSorted(schema)),
      availability,
      stalled,
    }),
    async drain({ graceMs }) {
      await editWaits.stop({ graceMs });
      // Open streams would hold the server's stop up. Connections first: a client that loses one
      // subscribes again by itself, one whose subscription ends with an error does not.
      for (const { graphql } of endpoints) graphql.cutStreams();
      await Promise.all(endpoints.map(({ sockets }) => sockets.stop()));
      await editSubscriptions.stop();
    },
  };
}
