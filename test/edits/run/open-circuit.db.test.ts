import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Database } from '../../../src/database/database.ts';
import { createChooseUpstream, createFreePlaces } from '../../../src/edits/run/choose-upstream.ts';
import { createPauses } from '../../../src/edits/run/upstream-pauses.ts';
import { createUpstreams } from '../../../src/edits-api/upstreams.ts';
import { createSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { clientOf, fileOf, requestOf } from '../../edits-api/client-support.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../../support/database.ts';
import { PATIENCE_MS } from '../../support/eventually.ts';
import { png } from '../../support/test-images.ts';

const OUTAGE = 5;

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe.runIf(hasDatabase)('an edits API whose circuit is open', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let sandbox: Sandbox;

  beforeEach(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    sandbox = createSandbox({ delayMs: 0 });
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await sandbox.stop();
    await database.close();
    await testDatabase.drop();
  });

  /** With calls as the worker makes them, after an outage. */
  async function afterOutage() {
    const { prisma } = database;
    const { api, rawAnswerPath } = await clientOf({ url: (await sandbox.start()).url });
    const config = {
      name: 'one',
      url: '',
      key: '',
      imageField: 'image[]',
      firstHand: true,
      models: null,
      priority: 0,
      concurrency: null,
      safetyIdentifier: false,
    } as const;
    const upstreams = createUpstreams([{ config, editsApi: api }]);
    const pauses = createPauses({ prisma });
    const choose = createChooseUpstream({ upstreams, pauses });
    const places = createFreePlaces({ prisma, upstreams, pauses, processId: crypto.randomUUID() });
    const picture = fileOf(await png());
    const call = () =>
      upstreams
        .named('one')
        .edit(requestOf({ images: [picture] }), { timeoutMs: PATIENCE_MS, rawAnswerPath });
    for (let calls = 0; calls < OUTAGE; calls += 1) {
      sandbox.faults.push({ kind: 'status', status: 503, body: 'json', retryAfter: null });
      await expect(call()).rejects.toMatchObject({ code: 'SERVER_ERROR' });
    }
    return {
      places: () => places(0),
      isChosen: async () => {
        const of = await choose();
        const choice = await prisma.$transaction((tx) => of(tx, { model: 'm', attempts: [] }));
        return 'upstream' in choice;
      },
      call,
    };
  }

  test('gets nothing before a trial is due', async () => {
    const { places, isChosen } = await afterOutage();
    pass(29_000);
    expect([await places(), await isChosen()]).toEqual([0, false]);
  });

  test('is tried by one edit when that is due, and gets all others once it has answered', async () => {
    const { places, isChosen, call } = await afterOutage();
    pass(30_000);
    expect(await places()).toBe(1);
    expect(await isChosen()).toBe(true);
    expect([await places(), await isChosen()]).toEqual([0, false]);

    await call();
    expect([await places(), await isChosen()]).toEqual([Number.POSITIVE_INFINITY, true]);
  });

  test('waits for the next trial when an edit that tried it brought nothing', async () => {
    const { places, isChosen, call } = await afterOutage();
    pass(30_000);
    expect(await isChosen()).toBe(true);
    sandbox.faults.push({ kind: 'status', status: 503, body: 'json', retryAfter: null });
    await expect(call()).rejects.toMatchObject({ code: 'SERVER_ERROR' });
    expect([await places(), await isChosen()]).toEqual([0, false]);
    pass(30_000);
    expect(await isChosen()).toBe(true);
  });
});
