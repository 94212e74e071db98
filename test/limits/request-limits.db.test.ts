import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAudit } from '../../src/auth/audit.ts';
import { LOCAL_VIEWER, viewerWith } from '../../src/auth/viewer.ts';
import type { Database, PrismaClient } from '../../src/database/database.ts';
import { LimitExceededError } from '../../src/errors.ts';
import { createRequestLimits, type RequestLimits } from '../../src/limits/request-limits.ts';
import { createSetLimit, type LimitTarget, type SetLimit } from '../../src/limits/set-limit.ts';
import { createLog } from '../../src/log.ts';
import { createEvents, type Events } from '../../src/queue/events.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { inOneMinute } from '../support/one-minute.ts';

const ACTOR = { viewer: LOCAL_VIEWER, requestId: null };

describe.runIf(hasDatabase)('a limit of requests per minute', { timeout: 60_000 }, () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let events: Events;
  let set: SetLimit;
  let statements: number;
  const opened: RequestLimits[] = [];

  /** Of one test. */
  let owner: string;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = await testDatabase.open();
    events = createEvents({ database, log: createLog({ level: 'silent' }) });
    await events.start();
    set = createSetLimit({ prisma: database.prisma, events, audit: createAudit() });
  });
  beforeEach(async () => {
    await inOneMinute();
    owner = randomUUID();
    statements = 0;
  });
  afterAll(async () => {
    for (const one of opened) one.stop();
    await events?.stop();
    await database?.close();
    await testDatabase?.drop();
  });

  /** One process's worth. */
  function open(): RequestLimits {
    const { prisma } = database;
    const counted = new Proxy(prisma, {
      get(target, name) {
        if (name === '$queryRaw' || name === 'limit') statements += 1;
        return Reflect.get(target, name);
      },
    }) as PrismaClient;
    const limits = createRequestLimits({ prisma: counted, events });
    opened.push(limits);
    return limits;
  }
  /** Resolves when all processes have heard of it: then they read their lists again, once. */
  async function limitTo(amount: bigint | null, target: LimitTarget): Promise<void> {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const unsubscribe = events.subscribe(({ kind }) => {
      if (kind === 'limit') resolve();
    });
    await set(ACTOR, { target, measure: 'REQUESTS', window: 'MINUTE', timeZone: null, amount });
    await heard;
    unsubscribe();
  }
  const ofOwner = (): LimitTarget => ({ subject: 'OWNER', ownerId: owner });
  const viewer = (lineage: readonly string[] = []) => {
    const [id] = lineage;
    return viewerWith({
      ownerId: owner,
      scopes: ['READ'],
      credential:
        id === undefined ? { kind: 'JWT' } : { kind: 'API_KEY', id, lineage, expiresAt: null },
    });
  };
  const settle = (all: readonly Promise<void>[]) =>
    Promise.allSettled(all).then((results) => ({
      taken: results.filter(({ status }) => status === 'fulfilled').length,
      errors: results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
    }));

  test('costs a viewer without such a limit no statement but one for the list', async () => {
    const limits = open();
    await settle(Array.from({ length: 100 }, () => limits.take(viewer())));
    expect(statements).toBe(1);
    expect(limits.quotas(viewer())).toEqual([]);
  });

  test('is never exceeded over two processes, whose blocks cost a statement each', async () => {
    await limitTo(57n, ofOwner());
    const processes = [open(), open()];
    const takes = Array.from({ length: 200 }, (_, i) => processes[i % 2]?.take(viewer()));
    const { taken, errors } = await settle(takes.map((take) => Promise.resolve(take)));
    expect(taken).toBe(57);
    expect(errors).toHaveLength(143);
    for (const error of errors) expect(error).toBeInstanceOf(LimitExceededError);
    // For each process the list and the last response; 12 blocks of at most 5.
    expect(statements).toBeLessThanOrEqual(2 * 2 + 12);
    const before = statements;
    await expect(processes[0]?.take(viewer())).rejects.toMatchObject({
      measure: 'REQUESTS',
      limit: 57n,
      used: 57n,
      remaining: 0n,
    });
    expect(statements).toBe(before);
  });

  test('says when the minute ends, never too early', async () => {
    await limitTo(1n, ofOwner());
    const limits = open();
    await limits.take(viewer());
    const error = await limits.take(viewer()).catch((reason: unknown) => reason);
    const { resetsAt, retryAfterSeconds } = error as LimitExceededError;
    const endMs = Math.ceil(Date.now() / 60_000) * 60_000;
    expect(resetsAt).toEqual(new Date(endMs));
    expect(Date.now() + 1_000 * Number(retryAfterSeconds)).toBeGreaterThanOrEqual(endMs);
    expect(retryAfterSeconds).toBeLessThanOrEqual(60);
    const [quota] = limits.quotas(viewer());
    expect(quota).toMatchObject({ name: 'owner', limit: 1n, remaining: 0n });
  });

  test('begins anew with each minute', async () => {
    await limitTo(3n, ofOwner());
    const { taken } = await settle([1, 2, 3, 4].map(() => open().take(viewer())));
    expect(taken).toBe(3);
    await database.prisma.limit.updateMany({
      where: { ownerId: owner },
      data: { windowStart: new Date(Date.now() - 120_000) },
    });
    await open().take(viewer());
  });

  test('of a key counts for the keys that it created; one that rejects spares the others', async () => {
    const [parent, child] = [randomUUID(), randomUUID()];
    for (const id of [parent, child]) {
      await database.prisma.apiKey.create({
        data: {
          id,
          ownerId: owner,
          name: 'k',
          prefix: 'rt',
          sha256: id.replaceAll('-', '').repeat(2),
        },
      });
    }
    await limitTo(100n, ofOwner());
    await limitTo(2n, { subject: 'API_KEY', apiKeyId: parent });
    const limits = open();
    await limits.take(viewer([parent]));
    await limits.take(viewer([child, parent]));
    for (let i = 0; i < 5; i += 1) {
      await expect(limits.take(viewer([child, parent]))).rejects.toThrow(LimitExceededError);
    }
    await limits.take(viewer());
    expect(limits.quotas(viewer([child, parent]))).toMatchObject([
      { name: 'owner', limit: 100n, remaining: 97n },
      { name: 'api-key', limit: 2n, remaining: 0n },
    ]);
  });

  test('that is raised, lowered or removed holds for the next request of every process', async () => {
    await limitTo(1n, ofOwner());
    const limits = open();
    await limits.take(viewer());
    await expect(limits.take(viewer())).rejects.toThrow(LimitExceededError);
    await limitTo(2n, ofOwner());
    await eventually(() => limits.take(viewer()));
    await expect(limits.take(viewer())).rejects.toThrow(LimitExceededError);
    await limitTo(null, ofOwner());
    await eventually(() => limits.take(viewer()));
    await limits.take(viewer());
  });
});
