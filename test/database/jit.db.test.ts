import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { createTestDatabase, hasDatabase } from '../support/database.ts';

describe.runIf(hasDatabase && inject('databaseKind') === 'postgres')('a Postgres server', () => {
  test('compiles none of our statements, which would keep tens of megabytes in each of its processes', async () => {
    const testDatabase = await createTestDatabase();
    onTestFinished(() => testDatabase.drop());
    const { prisma, close } = await testDatabase.open();
    onTestFinished(close);
    const plan = await prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SET LOCAL jit_above_cost TO 0`;
      const rows = await tx.$queryRaw<{ 'QUERY PLAN': string }[]>`
        EXPLAIN (ANALYZE) SELECT sum(length("status"::text)) FROM "EditJob" GROUP BY "model"`;
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    expect(plan).toContain('Execution Time');
    expect(plan).not.toContain('JIT');
  });
});
