import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { startApp } from '../../src/app/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase, hasDatabase } from '../support/database.ts';

/** The embedded database serves one process only. */
const ROLES = inject('databaseKind') === 'postgres' ? ['all', 'api', 'worker'] : ['all'];

describe.runIf(hasDatabase)('a start that fails after it opened the database', () => {
  test.each(ROLES)('closes all that it had opened, as %s', async (role) => {
    const database = await createTestDatabase();
    onTestFinished(database.drop);
    const path = join(database.dir, 'upstreams.json');
    await writeFile(path, 'not JSON');
    const config = loadConfig({
      ...database.env,
      ROLE: role,
      PORT: '0',
      EDITS_API_FILE: path,
    });
    const logged: string[] = [];
    const log = createLog({
      level: 'info',
      destination: { write: (line: string) => void logged.push(line) },
    });
    await expect(startApp({ config, log })).rejects.toBeInstanceOf(ConfigError);
    expect(logged.filter((line) => line.includes('shutdown failed'))).toEqual([]);
    // The embedded database cannot be opened while it is locked.
    const { prisma, close } = await database.open();
    onTestFinished(close);
    expect(await prisma.process.count()).toBe(0);
  });
});
