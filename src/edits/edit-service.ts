import type { PrismaClient } from '../database/database.ts';
import type { ReadSaved } from '../edits-api/edits-api.ts';
import type { OpenImages } from '../images/open-images.ts';
import { MAKE_THUMBNAILS } from '../images/thumbnails/make-thumbnails.ts';
import type { Limits } from '../limits/limits.ts';
import type { Log } from '../log.ts';
import type { Models } from '../models/models.ts';
import type { PriceTable } from '../models/prices.ts';
import type { OpenQueue } from '../queue/open-queue.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Traces } from '../telemetry/traces.ts';
import { createDeleteEdits } from './deletion/delete-edits.ts';
import { createCancelEdit } from './end/cancel-edit.ts';
import { createHistory } from './history/history.ts';
import { createEstimateEdit } from './input/estimate-edit.ts';
import { createLineage } from './lineage/lineage.ts';
import type { OpenEdits } from './open-edits.ts';
import { createPrompts } from './prompts/prompts.ts';
import { createRereadAnswer } from './run/reread-answer.ts';
import { createBacklog } from './submit/backlog.ts';
import { createCostBound } from './submit/cost-bound.ts';
import { createEdits } from './submit/edits.ts';
import { createPlanReservation } from './submit/plan-reservation.ts';
import { createSubmitAndWait } from './submit/submit-and-wait.ts';
import { createEditSubscriptions } from './watch/edit-subscriptions.ts';
import { createEditWaits } from './watch/edit-waits.ts';

/** The half that submits, cancels, deletes and finds edits; it runs none. */
export function createEditService(
  options: OpenQueue & {
    prisma: PrismaClient;
    images: OpenImages;
    prices: PriceTable;
    edits: OpenEdits;
    /** See KnownImages. */
    forgetImages: (ownerId: string) => void;
    limits: Limits;
    models: Models;
    traces: Traces;
    /** Reads a stored response as its upstream's client would. */
    readerOf: (upstream: string | null) => ReadSaved;
    sandbox: boolean;
    maxQueued: number;
    /** Of one owner. */
    maxQueuedPerOwner: number;
    metrics: Metrics;
    log: Log;
  },
) {
  const { prisma, queue, events, prices, limits, models, sandbox, metrics, log } = options;
  const { endEdit, finalEvents, responses, storedAnswers } = options.edits;
  const { images } = options.images;
  const backlog = createBacklog({
    prisma,
    maxQueued: options.maxQueued,
    maxQueuedPerOwner: options.maxQueuedPerOwner,
    metrics,
  });
  const costBound = createCostBound({ prisma, models, prices });
  const planReservation = createPlanReservation({ limits, models, costBound });
  const history = createHistory({ prisma });
  const editWaits = createEditWaits({ finalEvents });
  const services = {
    edits: createEdits({
      prisma,
      queue,
      images,
      models,
      backlog,
      limits,
      responses,
      planReservation,
      traces: options.traces,
      sandbox,
      metrics,
    }),
    estimateEdit: createEstimateEdit({ models, prices, costBound, sandbox }),
    cancelEdit: createCancelEdit({ prisma, endEdit }),
    deleteEdits: createDeleteEdits({ prisma, queue, events, onDeleted: options.forgetImages }),
    rereadAnswer: createRereadAnswer({
      prisma,
      images,
      storedAnswers,
      endEdit,
      readerOf: options.readerOf,
      onSucceeded: (jobId) => queue.send(prisma, MAKE_THUMBNAILS, { jobIds: [jobId] }),
      log,
    }),
    submitAndWait: createSubmitAndWait({ editWaits }),
    history,
    lineage: createLineage({ prisma }),
    prompts: createPrompts({ prisma }),
    editSubscriptions: createEditSubscriptions({ prisma, history, events, log }),
  };
  return { services, editWaits };
}
