import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Prisma } from '../../../src/database/database.ts';
import {
  AlreadyRequestedError,
  createResponses,
  type RepeatableRequest,
} from '../../../src/edits/submit/responses.ts';
import { createLog } from '../../../src/log.ts';
import { createEvents } from '../../../src/queue/events.ts';
import { hasDatabase } from '../../support/database.ts';
import { databaseKind } from '../../support/database-kind.ts';
import { OWNER, openStoredEdits } from '../../support/stored-edits.ts';

const log = createLog({ level: 'silent' });

/** Edits, and the requests of their clients. */
async function openRequests() {
  const { prisma, database, openAgain, edit, deleteEdits } = await openStoredEdits();
  const { sessionId } = database;
  const responses = createResponses({ prisma, sessionId, log });

  function request(given: Partial<RepeatableRequest> = {}): RepeatableRequest {
    return {
      requestId: randomUUID(),
      ownerId: OWNER,
      apiKeyId: null,
      inputSha256: 'a'.repeat(64),
      retryCount: 0,
      isNew: false,
      signal: new AbortController().signal,
      ...given,
    };
  }

  /** A new edit for a request, with the given columns. */
  async function submit(
    asked: RepeatableRequest = request(),
    columns: Prisma.EditJobUpdateInput = { status: 'RUNNING' },
  ) {
    const id = await edit({ prompt: 'a hat' });
    await prisma.editJob.update({ where: { id }, data: columns });
    await prisma.$transaction((tx) => responses.open(tx, asked, id));
    return { id, requestId: asked.requestId };
  }

  async function end(requestId: string, state: 'WRITTEN' | 'LOST') {
    responses.end(requestId, state);
    // It waits for what is being stored.
    await responses.attach(request({ inputSha256: 'f'.repeat(64) }));
  }

  const age = (id: string, minutes: number) =>
    prisma.$executeRaw`
      UPDATE "EditResponse" SET "updatedAt" = now() - make_interval(mins => ${minutes}::int)
      WHERE "jobId" = ${id}::uuid`;

  return { prisma, openAgain, responses, request, submit, end, age, deleteEdits };
}

describe.runIf(hasDatabase)('a request', () => {
  test('submits no edit if its client has gone', async () => {
    const { prisma, request, submit } = await openRequests();
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(submit(request({ signal }))).rejects.toThrow('gone');
    expect(await prisma.editResponse.count()).toBe(0);
  });
});

describe.runIf(hasDatabase)('a repeated request', () => {
  test('finds no edit while the earlier connection is open', async () => {
    const { responses, request, submit } = await openRequests();
    await submit();
    expect(await responses.attach(request())).toBeNull();
  });

  test('finds the edit whose client lost its connection, once', async () => {
    const { responses, request, submit, end } = await openRequests();
    const { id, requestId } = await submit();
    await end(requestId, 'LOST');
    expect(await responses.attach(request())).toEqual({ id });
    expect(await responses.attach(request())).toBeNull();
  });

  test('finds no edit after the whole response was written', async () => {
    const { responses, request, submit, end } = await openRequests();
    const { requestId } = await submit(request(), { status: 'SUCCEEDED' });
    await end(requestId, 'WRITTEN');
    expect(await responses.attach(request())).toBeNull();
  });

  test.each(['OPEN', 'WRITTEN'] as const)(
    'finds the edit of a response that is %s if the client says that it repeats it',
    async (state) => {
      const { responses, request, submit, end } = await openRequests();
      const { id, requestId } = await submit();
      if (state === 'WRITTEN') await end(requestId, state);
      expect(await responses.attach(request({ retryCount: 1 }))).toEqual({ id });
    },
  );

  test('finds no edit whose response was written more than ten minutes ago', async () => {
    const { responses, request, submit, end, age } = await openRequests();
    const { id, requestId } = await submit();
    await end(requestId, 'WRITTEN');
    await age(id, 11);
    expect(await responses.attach(request({ retryCount: 1 }))).toBeNull();
  });

  test('finds a lost response for a day', async () => {
    const { responses, request, submit, end, age } = await openRequests();
    const { id, requestId } = await submit();
    await end(requestId, 'LOST');
    await age(id, 24 * 60 + 1);
    expect(await responses.attach(request())).toBeNull();
    await age(id, 24 * 60 - 1);
    expect(await responses.attach(request())).toEqual({ id });
  });

  test('finds no edit if it asks for a new one', async () => {
    const { responses, request, submit, end } = await openRequests();
    const { requestId } = await submit();
    await end(requestId, 'LOST');
    expect(await responses.attach(request({ isNew: true, retryCount: 1 }))).toBeNull();
  });

  test.each([
    ['another input', { inputSha256: 'b'.repeat(64) }],
    ['another owner', { ownerId: 'another' }],
    ['another key', { apiKeyId: randomUUID() }],
  ])('finds no edit of %s', async (_, given) => {
    const { responses, request, submit, end } = await openRequests();
    const { requestId } = await submit();
    await end(requestId, 'LOST');
    expect(await responses.attach(request({ ...given, retryCount: 1 }))).toBeNull();
  });

  test('finds an edit each, if equal requests were made on purpose and each is repeated', async () => {
    const { prisma, responses, request, submit } = await openRequests();
    const [one, other] = [await submit(), await submit()];
    // The clock was set back since; two requests within a millisecond are as hard to tell apart.
    await prisma.$executeRaw`UPDATE "EditResponse" SET "updatedAt" = now() + interval '1 hour'`;
    const repeats = [1, 2].map(() => responses.attach(request({ retryCount: 1 })));
    const found = (await Promise.all(repeats)).map((edit) => edit?.id);
    expect(found.toSorted()).toEqual([one.id, other.id].toSorted());
  });

  test('finds an unknown outcome for ten minutes after its end', async () => {
    const { prisma, responses, request, submit, end } = await openRequests();
    const unknown = { status: 'OUTCOME_UNKNOWN', errorCode: 'TIMEOUT' } as const;
    const { id, requestId } = await submit(request(), { ...unknown, finishedAt: new Date() });
    await end(requestId, 'WRITTEN');
    const again = (retryCount = 1) => responses.attach(request({ retryCount }));
    expect(await again()).toEqual({ id });
    await end(requestId, 'WRITTEN');
    // Also for a client that does not say that it repeats.
    expect(await again(0)).toEqual({ id });
    const finishedAt = new Date(Date.now() - 11 * 60_000);
    await prisma.editJob.update({ where: { id }, data: { finishedAt } });
    expect(await again()).toBeNull();
  });

  test.each([
    ['UNREACHABLE', false],
    ['RATE_LIMITED', false],
    ['MODERATION_BLOCKED', true],
    ['INSUFFICIENT_QUOTA', true],
  ])('of an edit that failed with %s finds it: %s', async (errorCode, isFound) => {
    const { responses, request, submit, end } = await openRequests();
    const { id, requestId } = await submit(request(), { status: 'FAILED', errorCode });
    await end(requestId, 'WRITTEN');
    const found = await responses.attach(request({ retryCount: 1 }));
    expect(found).toEqual(isFound ? { id } : null);
  });

  test('finds no deleted edit', async () => {
    const { prisma, responses, request, submit, end, deleteEdits } = await openRequests();
    const { id, requestId } = await submit(request(), { status: 'SUCCEEDED' });
    await end(requestId, 'LOST');
    await deleteEdits.batch([id]);
    expect(await prisma.editResponse.count()).toBe(0);
    expect(await responses.attach(request())).toBeNull();
  });

  test('gets the response, so that the end of the earlier one changes nothing', async () => {
    const { responses, request, submit, end } = await openRequests();
    const { id, requestId } = await submit();
    expect(await responses.attach(request({ retryCount: 1 }))).toEqual({ id });
    await end(requestId, 'LOST');
    expect(await responses.attach(request())).toBeNull();
  });

  test('that was received before an equal one was committed submits no edit', async () => {
    const { prisma, responses, request, submit } = await openRequests();
    const { id } = await submit();
    const repeat = request({ retryCount: 1 });
    const open = prisma.$transaction((tx) => responses.open(tx, repeat, id));
    await expect(open).rejects.toThrow(AlreadyRequestedError);
  });

  test('of a process that has ended finds its edit', async () => {
    const { prisma, responses, request, submit } = await openRequests();
    const { id, requestId } = await submit();
    const sessionId = randomUUID();
    await prisma.editResponse.update({ where: { requestId }, data: { sessionId } });
    expect(await responses.attach(request())).toEqual({ id });
  });

  test.runIf(databaseKind() === 'postgres')(
    'of another process finds no edit while that runs, and finds it when that has ended',
    async () => {
      const { prisma, openAgain, responses, request, submit } = await openRequests();
      const { id, requestId } = await submit();
      const other = await openAgain();
      const events = createEvents({ database: other, log });
      await events.start();
      onTestFinished(() => other.close());
      const { sessionId } = other;
      await prisma.editResponse.update({ where: { requestId }, data: { sessionId } });
      expect(await responses.attach(request())).toBeNull();
      await events.stop();
      expect(await responses.attach(request())).toEqual({ id });
    },
  );
});
