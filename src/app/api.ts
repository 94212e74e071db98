import { openAccess } from '../admin/access/open-access.ts';
import { openAuth } from '../auth/open-auth.ts';
import type { Config } from '../config/config.ts';
import { createEditService } from '../edits/edit-service.ts';
import { createResolveOutcome } from '../edits/end/resolve-outcome.ts';
import { createHistory } from '../edits/history/history.ts';
import { createPrompts } from '../edits/prompts/prompts.ts';
import { openStoredLists } from '../edits-api/models/stored-lists.ts';
import type { KnownUpstream } from '../edits-api/upstreams.ts';
import { createExportEdits } from '../export/export-edits.ts';
import { readOperationList } from '../http/graphql/persisted/operation-list.ts';
import { openApiRoutes } from '../http/open-api-routes.ts';
import type { Routes } from '../http/server.ts';
import { createKnownImages } from '../images/known-images.ts';
import { createRequestLimits } from '../limits/request-limits.ts';
import { createSetLimit } from '../limits/set-limit.ts';
import type { Log } from '../log.ts';
import { createModelNotes } from '../models/model-notes.ts';
import { createStandings } from '../models/model-standing.ts';
import { createModels } from '../models/models.ts';
import { createSharedReads } from '../schema/shared-reads.ts';
import { createUsageReports } from '../usage/report.ts';
import { createRepriceJobs } from '../usage/reprice.ts';
import type { SharedParts } from './shared-parts.ts';
import { defaultModelOf, listingUpstreams, openAnswerReaders } from './upstreams.ts';

/** The half that serves: GraphQL over every transport, images and exports. */
export interface ApiHalf {
  readonly routes: Routes;
  /**
   * Waits `graceMs` for the edits that requests wait for, responds to the remaining requests with
   * the current state of the job, and ends subscriptions. New requests must have been refused.
   */
  drain(options: { graceMs: number }): Promise<void>;
  close(): Promise<void>;
}

/** @param options.upstreams As this process knows them. */
export async function openApi(options: {
  shared: SharedParts;
  upstreams: readonly KnownUpstream[];
  config: Config;
  log: Log;
}): Promise<ApiHalf> {
  const { shared, upstreams, config, log } = options;
  const { prisma, events, images, prices, knownModels, availability, metrics } = shared;
  const { editsApi, outboundProxies: proxies, limits } = config;
  await using opened = new AsyncDisposableStack();

  const auth = opened.adopt(
    await openAuth({
      config: config.auth,
      prisma,
      subscribe: (listener) =>
        shared.events.subscribe((event) => {
          if (event.kind === 'missed') listener('ANY');
          else if (event.kind === 'access') listener(event);
        }),
      log,
    }),
    (it) => it.close(),
  );
  const access = openAccess({ prisma, events });
  const requestLimits = opened.adopt(createRequestLimits({ prisma, events, metrics }), (it) =>
    it.stop(),
  );
  const lists = opened.adopt(await openStoredLists({ prisma, events, log }), (it) => it.close());
  const models = createModels({
    known: knownModels,
    default: config.models.default ?? (await defaultModelOf(editsApi)),
    allowed: config.models.allowed,
    standings: createStandings({ upstreams: await listingUpstreams(editsApi), lists }),
  });
  const notes = createModelNotes({ models, log });
  notes.report();
  lists.subscribe(notes.report);
  const { readerOf } = opened.adopt(
    await openAnswerReaders({ editsApi, proxies, staging: images.staging }),
    (it) => it.close(),
  );
  const knownImages = opened.adopt(createKnownImages({ images: images.images, events }), (it) =>
    it.stop(),
  );
  const { services: edits, editWaits } = createEditService({
    ...shared,
    forgetImages: knownImages.forget,
    models,
    readerOf,
    sandbox: editsApi.kind === 'sandbox',
    maxQueued: limits.queuedEdits,
    // With several owners, none may fill the queue alone.
    maxQueuedPerOwner: auth.authenticator.isOn
      ? Math.ceil(limits.queuedEdits / 2)
      : limits.queuedEdits,
    log,
  });
  const lagging = laggingReads(shared);
  const { file } = config.persistedOperations;
  const operationList = file === null ? new Map<string, string>() : await readOperationList(file);
  const { routes, endStreams } = opened.adopt(
    openApiRoutes({
      config,
      auth,
      operationList,
      traces: shared.traces,
      requestLimits,
      services: {
        ...edits,
        ...access,
        prisma,
        limits: shared.limits,
        setLimit: createSetLimit({ prisma, events, audit: access.audit }),
        resolveOutcome: createResolveOutcome({
          prisma,
          ledger: shared.edits.ledger,
          audit: access.audit,
        }),
        sharedReads: createSharedReads(),
        images: images.images,
        uploads: images.uploads,
        imageLinks: shared.imageLinks,
        blobs: images.blobs,
        models,
        prices,
        repriceJobs: createRepriceJobs({ prisma, prices, log }),
        upstreams,
        pauses: shared.edits.pauses,
        usageReports: createUsageReports({ prisma }),
        lagging,
        webhooks: shared.webhooks.webhooks,
      },
      knownImages,
      thumbnails: images.thumbnails,
      exportEdits: createExportEdits({
        prisma: shared.laggingPrisma,
        history: lagging.history,
        imageLinks: shared.imageLinks,
      }),
      editWaits,
      responses: shared.edits.responses,
      availability,
      metrics,
      log,
    }),
    (it) => it.close(),
  );

  const parts = opened.move();
  return {
    routes,
    async drain({ graceMs }) {
      await editWaits.stop({ graceMs });
      await endStreams();
      await edits.editSubscriptions.stop();
    },
    close: () => parts.disposeAsync(),
  };
}

/** By a replica, if there is one. */
function laggingReads({ laggingPrisma: prisma }: Pick<SharedParts, 'laggingPrisma'>) {
  return {
    history: createHistory({ prisma }),
    prompts: createPrompts({ prisma }),
    usageReports: createUsageReports({ prisma }),
  };
}
