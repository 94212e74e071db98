import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { viewerOf } from '../../src/auth/visible.ts';
import type { Database } from '../../src/database/database.ts';
import { createUsageReports, type UsageReports } from '../../src/usage/report.ts';
import { isTimeUnit, type UsageRequest } from '../../src/usage/usage-request.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';
import { expectedUsage, localDate } from '../support/expected-usage.ts';
import { type HistoryJob, histories, OWNERS } from '../support/usage-history.ts';

const RUNS = 100;
const ADMIN = { ...viewerOf(OWNERS[0]), isAdmin: true };

describe.runIf(hasDatabase)('a usage report', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let reports: UsageReports;
  const promptIds: Record<string, string[]> = {};

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    reports = createUsageReports({ prisma: database.prisma });
    for (const ownerId of OWNERS) {
      const rows = await database.prisma.prompt.createManyAndReturn({
        data: ['a', 'b'].map((text) => ({ ownerId, text, sha256: text.repeat(64) })),
      });
      promptIds[ownerId] = rows.map(({ id }) => id);
    }
  });
  afterAll(async () => {
    await database?.close();
    await testDatabase?.drop();
  });

  async function fill(jobs: readonly HistoryJob[]) {
    await database.prisma.editJob.deleteMany();
    await database.prisma.editJob.createMany({
      data: jobs.map(({ usage, ...job }) => ({ ...job, ...usage, size: 'auto', n: 1 })),
    });
  }
  const report = (request: UsageRequest) => reports.report(ADMIN, request);

  test('is what the jobs add up to, in every zone, whenever its clocks are set', async () => {
    await fc.assert(
      fc.asyncProperty(histories(promptIds), async ({ jobs, request }) => {
        await fill(jobs);
        const answer = await report(request);
        const expected = expectedUsage(jobs, ADMIN.ownerId, request);
        expect(answer.totals).toEqual(expected.totals);
        expect(
          answer.buckets.map(({ step, ...rest }) => ({ date: step?.date ?? null, ...rest })),
        ).toEqual(expected.buckets.slice(0, request.first).map(({ jobs: _, ...rest }) => rest));
        expect(answer.isTruncated).toBe(expected.buckets.length > request.first);
      }),
      { numRuns: RUNS },
    );
  }, 120_000);

  test('has buckets that start and end where local time says, and hold what lies between', async () => {
    await fc.assert(
      fc.asyncProperty(histories(promptIds), async ({ jobs, request }) => {
        const unit = request.groupBy.find(isTimeUnit);
        fc.pre(unit !== undefined);
        if (unit === undefined) return;
        await fill(jobs);
        const { buckets } = await report({ ...request, groupBy: [unit], metadataKey: null });
        for (const { step } of buckets) {
          if (step === null) throw new Error('a bucket of time has a span');
          const { from, to, date } = step;
          const dateAt = (ms: number) => localDate(unit, new Date(ms), request.timeZone);
          expect([dateAt(from.getTime()), dateAt(to.getTime() - 1)]).toEqual([date, date]);
          if (from > request.from) expect(dateAt(from.getTime() - 1)).not.toBe(date);
          else expect(from).toEqual(request.from);
          if (to < request.to) expect(dateAt(to.getTime())).not.toBe(date);
          else expect(to).toEqual(request.to);
        }
        const [bucket] = buckets;
        if (bucket?.step == null) return;
        const alone = { ...request, ...bucket.step, groupBy: [], metadataKey: null };
        expect((await report(alone)).totals).toEqual(bucket.sums);
      }),
      { numRuns: RUNS },
    );
  }, 120_000);
});
