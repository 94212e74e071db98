import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { defineJob } from '../../src/queue/queue.ts';
import { createRecurringWork } from '../../src/queue/recurring-jobs.ts';
import { hasDatabase } from '../support/database.ts';
import { JOB_TABLE } from '../support/sql-client.ts';
import { openStoredEdits } from '../support/stored-edits.ts';

const TIDY = defineJob<Record<string, never>>('tidy', { deleteAfterSeconds: 2 * 24 * 60 * 60 });

test.runIf(hasDatabase)(
  'work that recurs is enqueued once, however many processes ask for it',
  async () => {
    const { prisma, queue } = await openStoredEdits();
    await queue.start([TIDY]);
    const processes = [1, 2, 3].map(() =>
      createRecurringWork({ prisma, queue, log: createLog({ level: 'silent' }) }),
    );
    onTestFinished(() => {
      for (const one of processes) one.stop();
    });
    // A span that lasts longer than any test.
    const everySeconds = 20 * 24 * 60 * 60;
    await Promise.all(processes.map((one) => one.start(TIDY, { everySeconds })));
    const [entries] = await prisma.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) FROM ${JOB_TABLE} WHERE name = 'tidy'`;
    expect(entries?.count).toBe(1n);
  },
);

test.runIf(hasDatabase)(
  'work that is due at each start is enqueued at each, also within one interval',
  async () => {
    const { prisma, queue } = await openStoredEdits();
    await queue.start([TIDY]);
    const recurring = createRecurringWork({ prisma, queue, log: createLog({ level: 'silent' }) });
    onTestFinished(() => recurring.stop());
    const everySeconds = 20 * 24 * 60 * 60;
    await recurring.start(TIDY, { everySeconds, isDueNow: true });
    await recurring.start(TIDY, { everySeconds, isDueNow: true });
    const [entries] = await prisma.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) FROM ${JOB_TABLE} WHERE name = 'tidy'`;
    expect(entries?.count).toBe(2n);
  },
);
