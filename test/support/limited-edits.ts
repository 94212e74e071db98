import { randomUUID } from 'node:crypto';
import { createAudit } from '../../src/auth/audit.ts';
import { LOCAL_VIEWER } from '../../src/auth/viewer.ts';
import { viewerOf } from '../../src/auth/visible.ts';
import type { Database } from '../../src/database/database.ts';
import { RUN_EDIT } from '../../src/edits/edit-queue.ts';
import { createCancelEdit } from '../../src/edits/end/cancel-edit.ts';
import { createEndEdit } from '../../src/edits/end/end-edit.ts';
import { createResolveOutcome } from '../../src/edits/end/resolve-outcome.ts';
import { checkEditParams } from '../../src/edits/input/parameters.ts';
import { createAttempts } from '../../src/edits/run/attempts.ts';
import { insertJob, newJobId } from '../../src/edits/submit/insert-job.ts';
import { createResponses } from '../../src/edits/submit/responses.ts';
import type { Images, ReceivedImage } from '../../src/images/images.ts';
import type { EditAmounts } from '../../src/limits/check-room.ts';
import { type LimitMeasure, type LimitState, limitState } from '../../src/limits/limit-state.ts';
import type { LimitWindow } from '../../src/limits/limit-window.ts';
import { createLimits } from '../../src/limits/limits.ts';
import type { ReservedBound } from '../../src/limits/raised-bounds.ts';
import { createSetLimit, type LimitTarget } from '../../src/limits/set-limit.ts';
import { createLog } from '../../src/log.ts';
import { createKnownModels, createModels } from '../../src/models/models.ts';
import { createPriceTable, type PriceTable } from '../../src/models/prices.ts';
import { createEvents } from '../../src/queue/events.ts';
import { createQueue } from '../../src/queue/queue.ts';
import { NO_TRACES } from '../../src/telemetry/traces.ts';
import { createLedger } from '../../src/usage/ledger.ts';
import { createRepriceJobs } from '../../src/usage/reprice.ts';
import { createTestDatabase } from './database.ts';
import { unusedUpstreams } from './unused-upstreams.ts';

const log = createLog({ level: 'silent' });
const { prompt: _, ...PARAMS } = checkEditParams(
  { prompt: 'p', model: 'm' },
  createModels({ known: createKnownModels(), default: 'm', allowed: null }),
);
const FAILURE = {
  code: 'INTERNAL',
  message: 'm',
  httpStatus: null,
  upstreamRequestId: null,
} as const;

/** The only model's output tokens at so many micro-dollars each; null: at no known price. */
function pricesOf(microUsdPerToken: number | null): PriceTable {
  const prices = {
    textInput: 0n,
    cachedTextInput: null,
    imageInput: null,
    cachedImageInput: null,
    textOutput: null,
    imageOutput: BigInt(microUsdPerToken ?? 0) * 10n ** 9n,
  };
  const version = { version: `${microUsdPerToken}`, from: new Date(0), source: 's', note: null };
  return createPriceTable(() => (microUsdPerToken === null ? [] : [{ ...version, prices }]));
}

/** A token costs a micro-dollar. */
function boundOf(amountMicroUsd: bigint): ReservedBound {
  const tokens = { textInput: 1, imageInput: 0, output: Number(amountMicroUsd) };
  return { model: 'm', basis: 'b', byRules: tokens, raised: tokens };
}

const outputsOf = (count: number) =>
  Array.from({ length: count }, () => ({ staged: {}, facts: {} }) as ReceivedImage);

/** An edit to submit. */
export interface NewEdit {
  readonly ownerId: string;
  /** What it reserves at most, besides one edit and `n` images; null: unknown. @default null */
  readonly cost?: bigint | null;
  readonly tokens?: bigint | null;
  readonly n?: number;
  /** The key that submits it, and the keys that created it. */
  readonly apiKeyIds?: readonly string[];
  readonly metadata?: Record<string, string | number | boolean>;
}

interface LimitSettings {
  readonly amount: bigint | null;
  readonly measure?: LimitMeasure;
  readonly window?: LimitWindow;
  readonly timeZone?: string | null;
}

const ADMIN = { viewer: LOCAL_VIEWER, requestId: null };

/** Images that are only counted: each owner has one, as a row without a file. */
const countedImages: Images = {
  find: async () => null,
  findOfAnyOwner: async () => null,
  keep: async () => {},
  async save(tx, ownerId, images) {
    if (images.length === 0) return [];
    const [row] = await tx.$queryRaw<{ id: string }[]>`
      INSERT INTO "Image" (id, "ownerId", sha256, format, width, height, bytes, "hasAlpha")
      VALUES (gen_random_uuid(), ${ownerId}, ${'a'.repeat(64)}, 'PNG', 1, 1, 1, FALSE)
      ON CONFLICT ("ownerId", sha256) DO UPDATE SET bytes = 1 RETURNING id`;
    return images.map(() => row?.id ?? '');
  },
};

/**
 * The life of edits as far as limits are concerned, without an edits API, by a clock of its own.
 */
export async function openLimitedEdits() {
  const testDatabase = await createTestDatabase();
  const database: Database = await testDatabase.open();
  const { prisma } = database;
  const events = createEvents({ database, log });
  const queue = createQueue({ database, events, log });
  await queue.start([RUN_EDIT]);
  const images = countedImages;
  const closers: (() => unknown)[] = [];
  let at = new Date('2026-03-14T12:00:00Z');
  let table = pricesOf(1);
  const now = () => at;
  const prices: PriceTable = {
    at: (model, time) => table.at(model, time),
  };
  const limits = createLimits({ prisma, log, now });
  const ledger = createLedger({ prices });
  const responses = createResponses({ prisma, sessionId: database.sessionId, log });
  const audit = createAudit();
  const endEdit = createEndEdit({
    prisma,
    images,
    events,
    ledger,
    limits,
    insertWebhooks: async () => {},
  });
  const attempts = createAttempts({
    prisma,
    events,
    queue,
    ...(await unusedUpstreams(testDatabase.dir, (close) => closers.push(close))),
    sandbox: false,
    endEdit,
  });
  const cancel = createCancelEdit({ prisma, endEdit });
  const reprice = createRepriceJobs({ prisma, prices, log });
  const set = createSetLimit({ prisma, events, audit, now });
  const resolve = createResolveOutcome({ prisma, ledger, audit });

  async function claim(id: string) {
    const by = { processId: randomUUID(), attemptId: randomUUID() };
    const attempt = await attempts.claim(id, by);
    if (attempt === null) throw new Error('not claimed');
    return attempt;
  }

  return {
    prisma,
    limits,
    setLimit: (
      target: LimitTarget,
      { measure = 'COST', window = 'DAY', timeZone = null, amount }: LimitSettings,
    ) => set(ADMIN, { target, measure, window, timeZone, amount }),
    /** All limits, as they are now. */
    async allLimits(): Promise<readonly LimitState[]> {
      const rows = await prisma.limit.findMany({ orderBy: { id: 'asc' } });
      return rows.map((row) => limitState(row, at));
    },
    /** A key of an owner; returns its id. */
    async createKey(ownerId: string): Promise<string> {
      const id = randomUUID();
      await prisma.apiKey.create({
        data: { id, ownerId, name: 'k', prefix: 'rt', sha256: id.replaceAll('-', '').repeat(2) },
      });
      return id;
    },
    now,
    /** From now on it is this time. */
    setClock(time: Date | string) {
      at = new Date(time);
    },
    /** From now on an output token costs so much; null: nobody knows. */
    setPrice(microUsdPerToken: number | null) {
      table = pricesOf(microUsdPerToken);
    },
    /** Submits an edit; returns its id. */
    async insert(edit: NewEdit): Promise<string> {
      const { ownerId, cost = null, tokens = null, n = 1, apiKeyIds = [], metadata = {} } = edit;
      const id = newJobId();
      // Equal prompts would wait for each other.
      const params = { ...PARAMS, prompt: id, n, metadata };
      const job = { id, ownerId, apiKeyIds, sandbox: false, params, resolvedSize: 's', turn: 0 };
      const amounts: EditAmounts = {
        EDITS: 1n,
        CONCURRENT_EDITS: 1n,
        IMAGES: BigInt(n),
        ...(cost !== null && { COST: cost }),
        ...(tokens !== null && { TOKENS: tokens }),
      };
      const reserved = { amounts, bound: cost === null ? null : boundOf(cost), isLimited: true };
      const origin = {
        source: 'GRAPHQL' as const,
        request: null,
        retryOfId: null,
        idempotency: null,
      };
      const rest = { images: [], mask: null, ...origin, reserved };
      await insertJob(
        { prisma, queue, images, limits, responses, traces: NO_TRACES },
        { ...job, ...rest },
      );
      await prisma.editJob.update({ where: { id }, data: { createdAt: at } });
      return id;
    },
    claim,
    /** @param tokens Output tokens that the upstream reports, besides one of the prompt; null: none. */
    async succeed(id: string, tokens: number | null, outputs = 0) {
      const attempt = await claim(id);
      const usage = {
        total_tokens: (tokens ?? 0) + 1,
        input_tokens: 1,
        input_tokens_details: { text_tokens: 1 },
        output_tokens: tokens,
      };
      const body = tokens === null ? {} : { usage };
      await attempts.succeed(
        attempt,
        { body, httpStatus: 200, upstreamRequestId: null },
        outputsOf(outputs),
      );
    },
    fail: async (id: string) => attempts.fail(await claim(id), FAILURE, { unknown: false }),
    loseOutcome: async (id: string) => attempts.fail(await claim(id), FAILURE, { unknown: true }),
    requeue: async (id: string) => attempts.requeue(await claim(id), FAILURE, new Date()),
    cancel: (ownerId: string, id: string) => cancel(viewerOf(ownerId), id),
    resolve: (id: string, costMicroUsd: bigint, { isPaid = true } = {}) =>
      resolve(ADMIN, { jobId: id, isPaid, costMicroUsd }),
    reprice: () =>
      reprice(
        { from: null, to: null, model: 'm', afterId: null, limit: 100_000 },
        new AbortController().signal,
      ),
    async close() {
      await queue.stop({ graceMs: 0 });
      for (const close of closers) await close();
      await database.close();
      await testDatabase.drop();
    },
  };
}

export type LimitedEdits = Awaited<ReturnType<typeof openLimitedEdits>>;
