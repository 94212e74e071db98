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
    /** A data directory with a migrated embedded database, to be copied. */
    pgliteTemplate: string;
    /** A server with the migrated database `retouch_template`; null: none can be had. */
    postgresUrl: string | null;
    /** The browser for the suites that need one; null: none is installed. */
    chromium: string | null;
  }
}

const BUILD_PAGE = join(import.meta.dirname, '../../scripts/build-page.ts');
const log = createLog({ level: 'warn' });

/** What the suites copy or connect to. */
interface Prepared {
  readonly chromium: string | null;
  readonly pgliteTemplate: string;
  readonly postgresUrl: string | null;
  remove(): Promise<void>;
}

/** One for all projects of a run: Vitest sets each of them up, in this process. */
const shared = globalThis as { retouchPrepared?: Promise<Prepared>; retouchUsers?: number };

/** Bundles the page, and migrates once what each suite then copies. */
export default async function setup({ provide }: TestProject) {
  shared.retouchUsers = (shared.retouchUsers ?? 0) + 1;
  shared.retouchPrepared ??= prepareAll();
  const { chromium, pgliteTemplate, postgresUrl, remove } = await shared.retouchPrepared;
  provide('chromium', chromium);
  provide('pgliteTemplate', pgliteTemplate);
  provide('postgresUrl', postgresUrl);
  return async () => {
    shared.retouchUsers = (shared.retouchUsers ?? 0) - 1;
    if (shared.retouchUsers > 0) return;
    delete shared.retouchPrepared;
    await remove();
  };
}

async function prepareAll(): Promise<Prepared> {
  await promisify(execFile)(process.execPath, [BUILD_PAGE]);
  const chromium = findChromium();
  if (chromium === null) {
    process.stderr.write(
      '\nSKIPPED in the browser: no Chromium is installed (Debian: apt-get install chromium).\n\n',
    );
  }
  const dir = await mkdtemp(join(tmpdir(), 'retouch-template-'));
  await prepare(await openPglite({ dir, log }));

  const given = process.env['TEST_DATABASE_URL'];
  const cluster = given ? null : await startPostgresCluster();
  const url = given ?? cluster?.url ?? null;
  if (url === null) {
    process.stderr.write(
      '\nSKIPPED on Postgres: no TEST_DATABASE_URL is set and no Postgres server is installed (Debian: apt-get install postgresql).\n\n',
    );
  } else {
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
  }
  const remove = async () => {
    if (cluster) await cluster.stop();
    else if (url) {
      await onServer(
        url,
        `DROP DATABASE IF EXISTS ${TEMPLATE}`,
        `DROP DATABASE IF EXISTS ${EMPTY_TEMPLATE}`,
      );
      await dropHostileRole(url);
    }
    await rm(dir, { recursive: true, force: true });
  };
  return { chromium, pgliteTemplate: dir, postgresUrl: url, remove };
}

async function prepare(database: Database): Promise<void> {
  await migrate({ database, log });
  const queue = createQueue({ database, events: createEvents({ database, log }), log });
  await queue.start(QUEUES);
  await queue.stop({ graceMs: 0 });
  await database.close();
}
