import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { viewerOf } from '../../src/auth/visible.ts';
import type { Database } from '../../src/database/database.ts';
import { RUN_EDIT } from '../../src/edits/edit-queue.ts';
import { createCancelEdit } from '../../src/edits/end/cancel-edit.ts';
import { createEndEdit } from '../../src/edits/end/end-edit.ts';
import { checkEditParams } from '../../src/edits/input/parameters.ts';
import { createAttempts } from '../../src/edits/run/attempts.ts';
import { insertJob, newJobId } from '../../src/edits/submit/insert-job.ts';
import { createImages } from '../../src/images/images.ts';
import { createFsBlobStore } from '../../src/images/storage/fs-blob-store.ts';
import { createBudgets } from '../../src/limits/budgets.ts';
import type { ReservedBound } from '../../src/limits/raised-bounds.ts';
import { createSetBudget } from '../../src/limits/set-budget.ts';
import { createLog } from '../../src/log.ts';
import { createKnownModels, createModels } from '../../src/models/models.ts';
import { createPriceTable, type PriceTable } from '../../src/models/prices.ts';
import { createEvents } from '../../src/queue/events.ts';
import { createQueue } from '../../src/queue/queue.ts';
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

/** The life of edits as far as budgets are concerned, without an edits API, by a clock of its own. */
export async function openBudgetedEdits() {
  const testDatabase = await createTestDatabase();
  const database: Database = await testDatabase.open();
  const { prisma } = database;
  const events = createEvents({ database, log });
  const queue = createQueue({ database, events, log });
  await queue.start([RUN_EDIT]);
  const blobs = createFsBlobStore({ dir: join(testDatabase.dir, 'blobs') });
  const images = createImages({ prisma, blobs });
  const closers: (() => unknown)[] = [];
  let at = new Date('2026-03-14T12:00:00Z');
  let table = pricesOf(1);
  const now = () => at;
  const prices: PriceTable = {
    at: (model, time) => table.at(model, time),
  };
  const budgets = createBudgets({ prisma, log, now });
  const endEdit = createEndEdit({
    images,
    events,
    ledger: createLedger({ prices }),
    budgets,
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
  const reprice = createRepriceJobs({ prisma, prices });

  async function claim(id: string) {
    const by = { processId: randomUUID(), attemptId: randomUUID() };
    const attempt = await attempts.claim(id, by);
    if (attempt === null) throw new Error('not claimed');
    return attempt;
  }

  return {
    prisma,
    budgets,
    setBudget: createSetBudget({ prisma, now }),
    now,
    /** From now on it is this time. */
    setClock(time: Date | string) {
      at = new Date(time);
    },
    /** From now on an output token costs so much; null: nobody knows. */
    setPrice(microUsdPerToken: number | null) {
      table = pricesOf(microUsdPerToken);
    },
    /** A queued edit that holds so much; null: its owner has no budget. */
    async insert(ownerId: string, amountMicroUsd: bigint | null): Promise<string> {
      const id = newJobId();
      // Equal prompts would wait for each other.
      const params = { ...PARAMS, prompt: id };
      const job = { id, ownerId, sandbox: false, params, resolvedSize: 's', turn: 0 };
      const reserved =
        amountMicroUsd === null ? null : { amountMicroUsd, bound: boundOf(amountMicroUsd) };
      const rest = { images: [], mask: null, retryOfId: null, idempotency: null, reserved };
      await insertJob({ prisma, queue, images, budgets }, { ...job, ...rest });
      await prisma.editJob.update({ where: { id }, data: { createdAt: at } });
      return id;
    },
    claim,
    /** @param tokens that the edits API says it used; null: it does not say. */
    async succeed(id: string, tokens: number | null) {
      const attempt = await claim(id);
      const usage = {
        total_tokens: (tokens ?? 0) + 1,
        input_tokens: 1,
        input_tokens_details: { text_tokens: 1 },
        output_tokens: tokens,
      };
      const body = tokens === null ? {} : { usage };
      await attempts.succeed(attempt, { body, httpStatus: 200, upstreamRequestId: null }, []);
    },
    fail: async (id: string) => attempts.fail(await claim(id), FAILURE, { unknown: false }),
    loseOutcome: async (id: string) => attempts.fail(await claim(id), FAILURE, { unknown: true }),
    requeue: async (id: string) => attempts.requeue(await claim(id), FAILURE, new Date()),
    cancel: (ownerId: string, id: string) => cancel(viewerOf(ownerId), id),
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

export type BudgetedEdits = Awaited<ReturnType<typeof openBudgetedEdits>>;
