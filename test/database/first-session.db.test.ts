import { expect, inject, test } from 'vitest';
import { ofAllOwners } from '../../src/auth/visible.ts';
import { migrate } from '../../src/database/migrations.ts';
import { openPglite } from '../../src/database/pglite.ts';
import { createLog } from '../../src/log.ts';
import { temporaryDirectory } from '../support/directory.ts';

const log = createLog({ level: 'silent' });

test.runIf(inject('databaseKind') === 'pglite')(
  'lists of enum values can be asked for in the session that creates the embedded database',
  async () => {
    const database = await openPglite({ dir: await temporaryDirectory(), log });
    try {
      await migrate({ database, log });
      const where = { scopes: { has: 'ADMIN' } } as const;
      expect(await ofAllOwners(database.prisma).apiKey.count({ where })).toBe(0);
    } finally {
      await database.close();
    }
  },
);
