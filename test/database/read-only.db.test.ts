import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { createAvailability } from '../../src/database/availability.ts';
import type { Database } from '../../src/database/database.ts';
import { isUnreachable } from '../../src/database/unreachable.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { onServer, ROLE } from '../support/hostile-role.ts';

describe.runIf(hasDatabase && inject('databaseKind') === 'postgres')(
  'connections to a server that takes no writes',
  () => {
    let testDatabase: TestDatabase;
    let database: Database;
    beforeEach(async () => {
      testDatabase = await createTestDatabase();
      await setReadOnly('on');
      database = await testDatabase.open();
    });
    afterEach(async () => {
      await database.close();
      await testDatabase.drop();
    });

    /** Sessions that are open keep what they have, as those to a server that was the primary do. */
    function setReadOnly(value: 'on' | 'off'): Promise<void> {
      const { pathname } = new URL(testDatabase.env['DATABASE_URL'] ?? '');
      return onServer(
        inject('postgresUrl') ?? '',
        `ALTER ROLE ${ROLE} IN DATABASE ${pathname.slice(1)} SET default_transaction_read_only TO ${value}`,
      );
    }
    const write = () =>
      database.prisma.$transaction((tx) =>
        tx.process.create({ data: { id: crypto.randomUUID(), host: 'h', pid: 1 } }),
      );

    test('are left as soon as one of them is found out by a look', async () => {
      const availability = createAvailability({ database });
      expect(await availability.check()).toBe(false);
      await setReadOnly('off');
      await eventually(async () => expect(await availability.check()).toBe(true));
    });

    test('are all left as soon as a transaction is refused on one of them', async () => {
      const { prisma } = database;
      await Promise.all([1, 2, 3].map(() => prisma.$queryRaw`SELECT pg_sleep(0.2)::text`));
      await setReadOnly('off');
      const refused = await write().catch((error: unknown) => error);
      expect(isUnreachable(refused)).toBe(true);
      for (const _ of [1, 2, 3]) await write();
    });
  },
);
