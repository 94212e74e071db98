import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import { createPauses, type Pauses } from '../../../src/edits/run/upstream-pauses.ts';
import type { EditErrorCode } from '../../../src/edits-api/edit-error-codes.ts';
import { EditsApiError } from '../../../src/edits-api/edits-api-error.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';

describe.runIf(hasDatabase)('the pause of an edits API', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let pauses: Pauses;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    pauses = createPauses({ prisma: database.prisma, random: () => 0 });
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await database.close();
    await testDatabase.drop();
  });

  const consider = (code: keyof typeof EditErrorCode, retryAfterSeconds: number | null) =>
    pauses.consider('one', new EditsApiError(code, 'not_processed', 'm', { retryAfterSeconds }));
  /** From now, of the one that there is. */
  async function seconds(): Promise<number> {
    const [pause] = await pauses.list();
    return pause === undefined ? 0 : (pause.until.getTime() - Date.now()) / 1_000;
  }

  test('lasts as long as Retry-After asks, and is not made shorter by a later one', async () => {
    await consider('RATE_LIMITED', 120);
    await consider('RATE_LIMITED', 5);
    expect(await seconds()).toBeGreaterThan(100);
    expect(await seconds()).toBeLessThanOrEqual(120);
  });

  test('lasts a day at most, whatever Retry-After asks', async () => {
    await consider('RATE_LIMITED', 999_999_999);
    expect(await seconds()).toBeGreaterThan(23 * 60 * 60);
    expect(await seconds()).toBeLessThanOrEqual(24 * 60 * 60);
  });

  test('lasts five minutes for what somebody has to mend, and is no reaction to other errors', async () => {
    await consider('SERVER_ERROR', null);
    expect(await seconds()).toBe(0);
    await consider('INSUFFICIENT_QUOTA', null);
    expect(await seconds()).toBeGreaterThan(280);
    expect(await seconds()).toBeLessThanOrEqual(300);
  });

  const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
  const recovering = async (of = pauses) => (await of.recovering()).get('one') ?? null;

  test('lasts longer each time that a rate limit without a time is met again, not for each call', async () => {
    const waits = [];
    for (let met = 0; met < 4; met += 1) {
      await Promise.all([1, 2, 3].map(() => consider('RATE_LIMITED', null)));
      waits.push(await seconds());
      pass(Math.ceil((waits.at(-1) ?? 0) * 1_000));
    }
    expect(waits).toEqual([1, 2, 4, 8]);
    await pauses.accepted('one');
    await consider('RATE_LIMITED', null);
    expect(await seconds()).toBe(1);
  });

  test('lasts five minutes at most for a rate limit that names no time', async () => {
    for (let met = 0; met < 12; met += 1) {
      await consider('RATE_LIMITED', null);
      pass(Math.ceil((await seconds()) * 1_000));
    }
    await consider('RATE_LIMITED', null);
    expect(await seconds()).toBe(300);
  });

  test('lasts no longer than was planned after the clock was set back two hours', async () => {
    const elsewhere = createPauses({ prisma: database.prisma });
    await consider('RATE_LIMITED', 120);
    pass(-2 * 60 * 60_000);
    const [pause] = await elsewhere.list();
    expect(pause?.until).toEqual(new Date(Date.now() + 120_000));
    pass(120_000);
    expect(await createPauses({ prisma: database.prisma }).list()).toEqual([]);
    await consider('RATE_LIMITED', 60);
    pass(-2 * 60 * 60_000);
    expect(await consider('RATE_LIMITED', 30)).toEqual(new Date(Date.now() + 60_000));
  });

  test('answers when the upstream gets calls again', async () => {
    const until = await consider('RATE_LIMITED', 30);
    expect(until?.getTime()).toBe(Date.now() + 30_000);
    expect(await consider('BAD_REQUEST', null)).toBeNull();
    expect(await consider('FORBIDDEN', null)).toBeNull();
  });

  test('leaves one call at once, and one more for each that is accepted, in every process', async () => {
    const elsewhere = createPauses({ prisma: database.prisma });
    await consider('RATE_LIMITED', 30);
    expect(await recovering()).toBeNull();
    await pauses.accepted('one');
    pass(30_000);
    expect(await recovering()).toMatchObject({ places: 1 });
    await pauses.accepted('one');
    await pauses.accepted('one');
    expect(await recovering()).toMatchObject({ places: 3 });
    expect(await recovering(elsewhere)).toMatchObject({ places: 3 });
    await consider('RATE_LIMITED', 30);
    pass(30_000);
    expect(await recovering()).toMatchObject({ places: 1 });
  });

  test('is forgotten when the upstream has accepted many calls, or for a while', async () => {
    await consider('RATE_LIMITED', 1);
    pass(1_000);
    for (let calls = 0; calls < 63; calls += 1) await pauses.accepted('one');
    expect(await recovering()).toBeNull();
    expect(await database.prisma.upstreamPause.count()).toBe(0);
    await consider('RATE_LIMITED', 1);
    pass(11 * 60_000);
    expect(await recovering()).toBeNull();
    await consider('RATE_LIMITED', null);
    expect(await seconds()).toBe(1);
  });
});
