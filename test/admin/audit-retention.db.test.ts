import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deleteOldAuditEvents } from '../../src/admin/access/audit-retention.ts';
import type { Database } from '../../src/database/database.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';

describe.runIf(hasDatabase)('audit events', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });

  test('are deleted when they are older than their retention, and only then', async () => {
    const { prisma } = database;
    const event = { actorId: 'boss', action: 'a', objectType: 't' };
    await prisma.auditEvent.createMany({
      data: [
        { ...event, objectId: 'old', createdAt: new Date('2026-01-01T00:00:00Z') },
        { ...event, objectId: 'new', createdAt: new Date('2026-01-02T00:00:00Z') },
      ],
    });
    const now = new Date('2026-01-31T12:00:00Z');
    expect(await deleteOldAuditEvents(prisma, 30, now)).toBe(1);
    expect(await prisma.auditEvent.findMany({ select: { objectId: true } })).toEqual([
      { objectId: 'new' },
    ]);
  });
});
