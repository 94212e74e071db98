import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { EditErrorCode } from '../../src/edit-error-codes.ts';
import { createPauses, type Pauses } from '../../src/edits/pauses.ts';
import { EditsApiError } from '../../src/errors.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';

describe.runIf(hasDatabase)('the pause of an edits API', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let pauses: Pauses;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    pauses = createPauses({ prisma: database.prisma });
  });
  afterEach(async () => {
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
});
