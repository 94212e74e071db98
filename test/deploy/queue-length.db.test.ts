import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Database } from '../../src/database/database.ts';
import { databaseNames } from '../../src/database/names.ts';
import { RUN_EDIT } from '../../src/edits/edit-queue.ts';
import { createLog } from '../../src/log.ts';
import { createEvents } from '../../src/queue/events.ts';
import { createQueue, defineJob, type SendOptions } from '../../src/queue/queue.ts';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { ROOT } from '../support/overlays.ts';

const SCALING = join(ROOT, 'deploy/kubernetes/overlays/production/scaling.yaml');
const OTHER = defineJob<{ jobId: string }>('make-thumbnails', { retryLimit: 0 });
const log = createLog({ level: 'silent' });

/** What KEDA asks the database, in the schema of the queue of this test. */
async function readQuery({ names }: Database): Promise<string> {
  const manifests = parseAllDocuments(await readFile(SCALING, 'utf8')).map((it) => it.toJS());
  const { query } = manifests.find(({ kind }) => kind === 'ScaledObject').spec.triggers[0].metadata;
  const documented = `${databaseNames('public').queueSchema}.job`;
  expect(query.split(documented)).toHaveLength(2);
  return query.replace(documented, `"${names.queueSchema}".job`);
}

describe.runIf(hasDatabase)('the query by which KEDA scales the workers', () => {
  test('counts ready and running edits, and none that are deferred, ended, or of another queue', async () => {
    const testDatabase = await createTestDatabase();
    const database = await testDatabase.open();
    const events = createEvents({ database, log });
    const queue = createQueue({ database, events, log });
    await using opened = new AsyncDisposableStack();
    opened.defer(() => testDatabase.drop());
    opened.defer(() => database.close());
    opened.defer(() => events.stop());
    opened.defer(() => queue.stop({ graceMs: 0 }));
    await events.start();
    await queue.start([RUN_EDIT, OTHER]);
    const query = await readQuery(database);
    const count = async () => {
      const rows = await database.prisma.$queryRawUnsafe<{ count: bigint }[]>(query);
      return rows.map(({ count: value }) => Number(value));
    };
    const send = (job = RUN_EDIT, options: SendOptions = {}) =>
      database.prisma.$transaction((tx) => queue.send(tx, job, { jobId: 'x' }, options));
    expect(await count()).toEqual([0]);

    for (let at = 0; at < 5; at += 1) await send();
    await send(OTHER);
    await send(RUN_EDIT, { startAfter: new Date(Date.now() + 3_600_000) });
    expect(await count()).toEqual([5]);

    // Two run; one of them ends when the test lets it, and one once the queue is stopped.
    const first = Promise.withResolvers<void>();
    let started = 0;
    queue.work(RUN_EDIT, {
      concurrency: 2,
      places: async (running) => (started < 2 ? 2 - running : 0),
      handle: (_, signal) => {
        started += 1;
        const stopped = new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
        });
        return started === 1 ? Promise.race([first.promise, stopped]) : stopped;
      },
    });
    await eventually(() => expect(started).toBe(2));
    expect(await count()).toEqual([5]);
    first.resolve();
    await eventually(async () => expect(await count()).toEqual([4]));
  });
});
