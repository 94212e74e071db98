import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import type { PrismaClient } from '../../src/database/database.ts';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { startSandboxProcess, startService } from '../support/processes.ts';
import { seededRandom } from '../support/random.ts';
import { quantile } from '../support/report.ts';
import { openTenants } from '../support/tenants.ts';
import { report } from './figures.ts';

const BULK_EDITS = 5_000;
const SINGLES = 20;
const DELAY_MS = 500;
const CONCURRENCY = 2;
/** How many edits one owner keeps waiting, and for how many edits of both that is watched. */
const STEADY_WAITING = 10;
const STEADY_EDITS = 100;
const SEED = 11;
/** By the guarantee, in times of one job. */
const MAX_WAIT_JOBS = 2;
const MIN_SHARE_PERCENT = 40;

const onPostgres = inject('databaseKind') === 'postgres';

async function start() {
  const testDatabase = await createTestDatabase();
  onTestFinished(() => testDatabase.drop());
  const sandbox = await startSandboxProcess({ delayMs: DELAY_MS });
  onTestFinished(() => sandbox.stop());
  return {
    open: () => testDatabase.open(),
    dataDir: testDatabase.dir,
    startService: async () => {
      const service = await startService({
        ...testDatabase.env,
        EDITS_API_URL: sandbox.url,
        EDITS_API_KEY: 'sk-soak',
        MAX_CONCURRENT_EDITS: String(CONCURRENCY),
      });
      onTestFinished(() => service.kill());
      return service;
    },
  };
}

/** Median of how long those that ended ran. */
async function jobMsOf(prisma: PrismaClient): Promise<number> {
  const jobs = await prisma.editJob.findMany({ where: { status: 'SUCCEEDED' } });
  return quantile(
    jobs.map(({ startedAt, finishedAt }) => Number(finishedAt) - Number(startedAt)),
    0.5,
  );
}

describe.runIf(hasDatabase && onPostgres)('an owner with 5,000 edits', () => {
  test('does not keep others waiting, and is not kept waiting by one who always has some', async () => {
    const { open, dataDir, startService: startOne } = await start();
    const database = await open();
    onTestFinished(() => database.close());
    const { prisma } = database;
    const tenants = await openTenants({ database, dataDir });
    await tenants.submitMany('bulk', BULK_EDITS);
    await startOne();
    const started = (where: object = {}) =>
      prisma.editJob.count({ where: { startedAt: { not: null }, ...where } });
    await vi.waitUntil(async () => (await started()) > 4 * CONCURRENCY, { timeout: 60_000 });

    const random = seededRandom(SEED);
    const waitsMs: number[] = [];
    for (let i = 0; i < SINGLES; i++) {
      // At any moment of the others' edits.
      await delay(random() * DELAY_MS);
      const id = await tenants.submit(`single ${i}`, 'one');
      await vi.waitUntil(() => started({ id }), { timeout: 60_000, interval: 20 });
      const job = await prisma.editJob.findUniqueOrThrow({ where: { id } });
      waitsMs.push(Number(job.startedAt) - Number(job.createdAt));
    }

    const before = { bulk: await started({ ownerId: 'bulk' }), steady: 0 };
    const steady = async () => ({
      waiting: await prisma.editJob.count({ where: { ownerId: 'steady', status: 'QUEUED' } }),
      started: await started({ ownerId: 'steady' }),
    });
    let now = await steady();
    let bulk = 0;
    while (now.started + bulk < STEADY_EDITS) {
      for (let i = now.waiting; i < STEADY_WAITING; i++) await tenants.submit('steady', 'one more');
      await delay(DELAY_MS / 10);
      now = await steady();
      bulk = (await started({ ownerId: 'bulk' })) - before.bulk;
    }
    const jobMs = await jobMsOf(prisma);
    await tenants.close();

    const longest = Math.max(...waitsMs);
    const share = (100 * bulk) / (bulk + now.started);
    report(`An owner with ${BULK_EDITS} edits, ${CONCURRENCY} at a time`, [
      { what: 'an edit takes, median', service: `${jobMs.toFixed(0)} ms` },
      {
        what: 'a single edit of another waits, median',
        service: `${quantile(waitsMs, 0.5).toFixed(0)} ms`,
      },
      {
        what: `the longest of ${SINGLES}, in times of an edit`,
        service: `${longest.toFixed(0)} ms`,
        bar: { value: longest / jobMs, atMost: MAX_WAIT_JOBS, unit: 'x' },
      },
      {
        what: `its share while another always has ${STEADY_WAITING} waiting`,
        service: `${bulk} of ${bulk + now.started}`,
        bar: { value: share, atLeast: MIN_SHARE_PERCENT, unit: '%' },
      },
    ]);
  });
});

describe.runIf(!onPostgres)('an owner with 5,000 edits', () => {
  test('does not keep others waiting who came after it', async () => {
    const { open, dataDir, startService: startOne } = await start();
    const before = await open();
    const tenants = await openTenants({ database: before, dataDir });
    await tenants.submitMany('bulk', BULK_EDITS);
    const singles = await Promise.all(
      Array.from({ length: CONCURRENCY }, (_, i) => tenants.submit(`single ${i}`, 'one')),
    );
    await tenants.close();
    await before.close();

    const service = await startOne();
    const sent = () => service.lines.filter((line) => line.includes('"msg":"edit ended"')).length;
    await vi.waitUntil(() => sent() > 5 * CONCURRENCY, { timeout: 60_000 });
    expect(await service.stop()).toBe(0);

    const after = await open();
    onTestFinished(() => after.close());
    const { prisma } = after;
    const jobMs = await jobMsOf(prisma);
    const first = await prisma.editJob.findFirstOrThrow({
      where: { startedAt: { not: null } },
      orderBy: { startedAt: 'asc' },
    });
    const jobs = await prisma.editJob.findMany({ where: { id: { in: singles } } });
    const waitMs = Math.max(
      ...jobs.map(({ startedAt }) =>
        startedAt === null ? Number.POSITIVE_INFINITY : Number(startedAt) - Number(first.startedAt),
      ),
    );
    report(`An owner with ${BULK_EDITS} edits, ${CONCURRENCY} at a time`, [
      { what: 'an edit takes, median', service: `${jobMs.toFixed(0)} ms` },
      {
        what: 'others’ single edits wait at most, in times of an edit',
        service: `${waitMs.toFixed(0)} ms`,
        bar: { value: waitMs / jobMs, atMost: MAX_WAIT_JOBS, unit: 'x' },
      },
    ]);
  });
});
