import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { QUEUES } from '../../src/app/queue-jobs.ts';
import type { Database } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrations.ts';
import { openPglite } from '../../src/database/pglite.ts';
import { createLog } from '../../src/log.ts';
import { createEvents } from '../../src/queue/events.ts';
import { createQueue } from '../../src/queue/queue.ts';
import { findChromium } from './chromium.ts';
import {
  createHostileRole,
  dropHostileRole,
  EMPTY_TEMPLATE,
  furnish,
  onServer,
  TEMPLATE,
  urlOfRole,
} from './hostile-role.ts';
import { openServer } from './open-database.ts';
import { startPostgresCluster } from './postgres-cluster.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    databaseKind: 'pglite' | 'postgres';
    /** A data directory with a migrated embedded database, to be copied; empty: not needed. */
    pgliteTemplate: string;
    /** A server with the migrated database `retouch_template`; null: none can be had. */
    postgresUrl: string | null;
    /** The browser for the suites that need one; null: none is installed. */
    chromium: string | null;
  }
}

const BUILD_PAGE = join(import.meta.dirname, '../../scripts/build-page.ts');
const log = createLog({ level: 'warn' });

/** What a project's suites need, by its name: nothing else is made. */
const NEEDS: Record<string, readonly Need[]> = {
  unit: [],
  examples: ['page', 'chromium', 'pglite'],
  pglite: ['pglite'],
  gateways: ['pglite'],
  browser: ['page', 'chromium', 'pglite'],
  'reliability-pglite': ['pglite'],
  postgres: ['postgres'],
  'reliability-postgres': ['postgres'],
  'soak-pglite': ['pglite'],
  'soak-postgres': ['postgres'],
};

type Need = keyof typeof MAKERS;

/** A part of the setup: what suites copy or connect to. */
interface Made<Value> {
  readonly value: Value;
  remove?(): Promise<void>;
}

const MAKERS = {
  page: async (): Promise<Made<void>> => {
    await promisify(execFile)(process.execPath, [BUILD_PAGE]);
    return { value: undefined };
  },
  chromium: async (): Promise<Made<string | null>> => {
    const value = findChromium();
    if (value === null) {
      process.stderr.write(
        '\nSKIPPED in the browser: no Chromium is installed (Debian: apt-get install chromium).\n\n',
      );
    }
    return { value };
  },
  pglite: async (): Promise<Made<string>> => {
    const dir = await mkdtemp(join(tmpdir(), 'retouch-template-'));
    await prepare(await openPglite({ dir, log }));
    return { value: dir, remove: () => rm(dir, { recursive: true, force: true }) };
  },
  postgres: makePostgres,
};

/** Each part is made once for all projects of a run: Vitest sets each of them up, in this process. */
const shared = globalThis as {
  retouchParts?: Map<Need, Promise<Made<unknown>>>;
  retouchUsers?: number;
};

export default async function setup({ name, provide }: TestProject) {
  const needs = NEEDS[name];
  if (needs === undefined) throw new Error(`test/support/global-setup.ts: NEEDS has no ${name}`);
  shared.retouchUsers = (shared.retouchUsers ?? 0) + 1;
  shared.retouchParts ??= new Map();
  const parts = shared.retouchParts;
  const made = async <N extends Need>(need: N) => {
    if (!needs.includes(need)) return null;
    if (!parts.has(need)) parts.set(need, MAKERS[need]());
    return (await parts.get(need))?.value as Awaited<ReturnType<(typeof MAKERS)[N]>>['value'];
  };
  await made('page');
  provide('chromium', await made('chromium'));
  provide('pgliteTemplate', (await made('pglite')) ?? '');
  provide('postgresUrl', await made('postgres'));
  return async () => {
    shared.retouchUsers = (shared.retouchUsers ?? 0) - 1;
    if (shared.retouchUsers > 0) return;
    delete shared.retouchParts;
    for (const part of parts.values()) await (await part).remove?.();
  };
}

async function makePostgres(): Promise<Made<string | null>> {
  const given = process.env['TEST_DATABASE_URL'];
  const cluster = given ? null : await startPostgresCluster();
  const url = given ?? cluster?.url ?? null;
  if (url === null) {
    process.stderr.write(
      '\nSKIPPED on Postgres: no TEST_DATABASE_URL is set and no Postgres server is installed (Debian: apt-get install postgresql).\n\n',
    );
    return { value: null };
  }
  await createHostileRole(url);
  for (const name of [EMPTY_TEMPLATE, TEMPLATE]) {
    await onServer(
      url,
      `DROP DATABASE IF EXISTS ${name}`,
      `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`,
    );
    await furnish(url, name);
  }
  await prepare(openServer({ DATABASE_URL: urlOfRole(url, TEMPLATE) }, log));
  return {
    value: url,
    async remove() {
      if (cluster !== null) return cluster.stop();
      await onServer(
        url,
        `DROP DATABASE IF EXISTS ${TEMPLATE}`,
        `DROP DATABASE IF EXISTS ${EMPTY_TEMPLATE}`,
      );
      await dropHostileRole(url);
    },
  };
}

async function prepare(database: Database): Promise<void> {
  await migrate({ database, log });
  const queue = createQueue({ database, events: createEvents({ database, log }), log });
  await queue.start(QUEUES);
  await queue.stop({ graceMs: 0 });
  await database.close();
}
