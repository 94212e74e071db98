import type { PrismaClient } from '../database/database.ts';
import type { OpenImages } from '../images/open-images.ts';
import type { Limits } from '../limits/limits.ts';
import type { Log } from '../log.ts';
import type { PriceTable } from '../models/prices.ts';
import type { Events } from '../queue/events.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createLedger, type Ledger } from '../usage/ledger.ts';
import { createCountEnd } from './end/count-end.ts';
import { createEndEdit, type EndEdit, type InsertForEnd } from './end/end-edit.ts';
import { logEnd } from './end/log-end.ts';
import { createStoredAnswers, type StoredAnswers } from './run/stored-answers.ts';
import { createPauses, type Pauses } from './run/upstream-pauses.ts';
import { createResponses, type Responses } from './submit/responses.ts';
import { createFinalEvents, type FinalEvents } from './watch/final-events.ts';

/** Shared by the half that serves edits and the half that runs them. */
export interface OpenEdits {
  readonly endEdit: EndEdit;
  readonly ledger: Ledger;
  readonly finalEvents: FinalEvents;
  readonly pauses: Pauses;
  readonly responses: Responses;
  readonly storedAnswers: StoredAnswers;
  close(): Promise<void>;
}

export function openEdits(options: {
  prisma: PrismaClient;
  /** Of this process, see Database. */
  sessionId: string;
  events: Events;
  images: Pick<OpenImages, 'blobs' | 'images'>;
  prices: PriceTable;
  limits: Limits;
  insertWebhooks: InsertForEnd;
  answerRetentionDays: number;
  metrics: Metrics;
  log: Log;
}): OpenEdits {
  const { prisma, sessionId, events, prices, limits, insertWebhooks, answerRetentionDays, log } =
    options;
  const { metrics } = options;
  const { images, blobs } = options.images;
  const ledger = createLedger({ prices });
  const countEnd = createCountEnd({ metrics, ledger });
  const finalEvents = createFinalEvents({ prisma, events, log });
  const responses = createResponses({ prisma, sessionId, log });
  return {
    endEdit: createEndEdit({
      prisma,
      images,
      events,
      ledger,
      limits,
      insertWebhooks,
      onEnded(end) {
        logEnd(log, end);
        countEnd(end);
      },
    }),
    ledger,
    finalEvents,
    pauses: createPauses({ prisma }),
    responses,
    storedAnswers: createStoredAnswers({ prisma, blobs, maxAgeDays: answerRetentionDays }),
    async close() {
      finalEvents.stop();
      await responses.close();
    },
  };
}
