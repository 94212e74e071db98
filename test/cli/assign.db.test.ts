import { createHash, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { Prisma, type PrismaClient } from '../../src/database/database.ts';
import { foldForSearch, termGrams } from '../../src/edits/prompts/search-text.ts';
import { blobKey, thumbnailKey } from '../../src/images/storage/blob-key.ts';
import type { BlobStore } from '../../src/images/storage/blob-store.ts';
import { openBlobStore } from '../../src/images/storage/open-blob-store.ts';
import { createBlobRemover } from '../../src/images/storage/remove-blobs.ts';
import { createLog } from '../../src/log.ts';
import { createEvents } from '../../src/queue/events.ts';
import { hasDatabase } from '../support/database.ts';
import { insertHistory } from '../support/history-of-owner.ts';
import { startS3Server } from '../support/s3-server.ts';
import { OWNER, openStoredEdits } from '../support/stored-edits.ts';
import { createTestCommands, QUIET } from '../support/test-commands.ts';

const TO = 'alice';
const STAYING = ['ApiKey', 'AuditEvent'];
const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');

async function setUp() {
  const parts = await openStoredEdits();
  const { database } = parts;
  const events = createEvents({ database, log: createLog({ level: 'silent' }) });
  const progress: string[] = [];
  return {
    ...parts,
    progress,
    assign(
      to = TO,
      { from = OWNER, blobs = parts.blobs }: { from?: string; blobs?: BlobStore } = {},
    ) {
      const { assignHistory } = createTestCommands({ ...parts, events, blobs });
      const signal = new AbortController().signal;
      return assignHistory({ from, to }, { ...QUIET, note: (line) => progress.push(line), signal });
    },
  };
}

/** The tables with the column `ownerId`, by the database's own catalogue. */
async function ownedTables(prisma: PrismaClient): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ name: string }[]>`
    SELECT table_name::text AS name FROM information_schema.columns
    WHERE table_schema = current_schema() AND column_name = 'ownerId' ORDER BY 1`;
  return rows.map(({ name }) => name);
}

/** All rows of an owner by table, without the owner and what is derived from it. */
async function rowsOf(prisma: PrismaClient, ownerId: string) {
  const entries = [];
  for (const table of await ownedTables(prisma)) {
    const rows = await prisma.$queryRaw<{ row: string }[]>`
      SELECT (to_jsonb(row) - 'ownerId' - 'budgetOwnerId' - 'grams')::text AS row
      FROM ${Prisma.raw(`"${table}"`)} AS row
      WHERE row."ownerId" = ${ownerId} ORDER BY 1`;
    entries.push([table, rows.map(({ row }) => row)] as const);
  }
  return Object.fromEntries(entries);
}

const found = (prisma: PrismaClient, ownerId: string, term: string) => {
  const folded = foldForSearch(term);
  return prisma.$queryRaw<unknown[]>`
    SELECT * FROM "promptsWith"(${ownerId}, ${termGrams(ownerId, folded)}::int[], ${folded}, NULL)`;
};

describe.runIf(hasDatabase)('owners assign', () => {
  test('moves every row of every table with an owner, except API keys and the audit', async () => {
    const { prisma, edit, assign, progress } = await setUp();
    await insertHistory({ prisma, edit });
    await prisma.apiKey.create({
      data: { ownerId: TO, name: 'n', prefix: 'p', sha256: 'b'.repeat(64), scopes: ['READ'] },
    });
    const before = await rowsOf(prisma, OWNER);
    // A new table needs a row in insertHistory: otherwise nothing here would check it.
    for (const [table, rows] of Object.entries(before)) expect(rows, table).not.toEqual([]);

    expect(await assign()).toEqual({ edits: 3, images: 2 });

    const after = await rowsOf(prisma, TO);
    const left = await rowsOf(prisma, OWNER);
    for (const [table, rows] of Object.entries(before)) {
      if (STAYING.includes(table)) {
        expect(left[table], table).toEqual(expect.arrayContaining(rows));
      } else {
        expect(after[table], table).toEqual(rows);
        expect(left[table], table).toEqual([]);
      }
    }
    expect(progress).toContain('EditJob: 3 rows');
    expect(await prisma.owner.count({ where: { id: TO } })).toBe(1);
    expect(await prisma.auditEvent.findMany({ where: { action: 'assignHistory' } })).toMatchObject([
      { objectId: OWNER, before: { ownerId: OWNER }, after: { ownerId: TO, rows: { EditJob: 3 } } },
    ]);
  });

  test('makes prompts found by their new owner, and by nobody else', async () => {
    const { prisma, edit, assign } = await setUp();
    await edit({ prompt: 'A red fox' });
    await edit({ prompt: 'Ein Wald im Nebel' });
    expect(await found(prisma, OWNER, 'FOX')).toHaveLength(1);
    await assign();
    expect(await found(prisma, TO, 'FOX')).toHaveLength(1);
    expect(await found(prisma, TO, 'wald im')).toHaveLength(1);
    expect(await found(prisma, OWNER, 'FOX')).toEqual([]);
  });

  test('moves the images and their thumbnails, and leaves those of others', async () => {
    const { blobs, edit, receive, images, assign } = await setUp();
    await edit({ prompt: 'p', inputs: ['fox', 'wood'] });
    const keyOf = (ownerId: string, content: string) =>
      blobKey({ ownerId, sha256: sha256(content) });
    await blobs.copy(keyOf(OWNER, 'wood'), thumbnailKey(keyOf(OWNER, 'fox'), 256));
    await images.keep('somebody', [await receive('fox')]);
    await assign();
    for (const content of ['fox', 'wood']) {
      expect((await buffer(blobs.read(keyOf(TO, content)))).toString()).toBe(content);
      expect(await blobs.size(keyOf(OWNER, content))).toBeNull();
    }
    expect(await blobs.size(thumbnailKey(keyOf(TO, 'fox'), 256))).toBe(4);
    expect(await blobs.size(thumbnailKey(keyOf(OWNER, 'fox'), 256))).toBeNull();
    expect(await blobs.size(keyOf('somebody', 'fox'))).toBe(3);
  });

  test('moves the images in S3', async () => {
    const { edit, receive, assign } = await setUp();
    await edit({ prompt: 'p', inputs: ['fox'] });
    const server = await startS3Server();
    const { storage } = loadConfig(server.env);
    const { blobs, close } = await openBlobStore(storage);
    onTestFinished(close);
    const keyOf = (ownerId: string) => blobKey({ ownerId, sha256: sha256('fox') });
    const { staged } = await receive('fox');
    await blobs.put(keyOf(OWNER), staged.path);
    await assign(TO, { blobs });
    expect(await server.keys()).toEqual([`some/prefix/${keyOf(TO)}`]);
    expect((await buffer(blobs.read(keyOf(TO)))).toString()).toBe('fox');
  });

  test('keeps the copied images although a sweep finds no row of them yet', async () => {
    const { prisma, blobs, edit, assign } = await setUp();
    await edit({ prompt: 'p', inputs: ['fox'] });
    const key = blobKey({ ownerId: TO, sha256: sha256('fox') });
    const remover = createBlobRemover({ prisma, blobs, graceMs: 0 });
    let lists = 0;
    let removal: Promise<unknown> = Promise.resolve();
    const sweeping: BlobStore = {
      ...blobs,
      list(options) {
        lists += 1;
        // The last list before the rows are moved.
        if (lists === 4) removal = remover.remove([key], new AbortController().signal);
        return blobs.list(options);
      },
    };
    await assign(TO, { blobs: sweeping });
    await removal;
    expect(lists).toBe(4);
    expect(await blobs.size(key)).toBe(3);
  });

  test('changes nothing if the target has a history, an edit is running, or an owner is wrong', async () => {
    const { prisma, edit, assign } = await setUp();
    await edit({ prompt: 'p', inputs: ['fox'] });
    await prisma.limit.create({
      data: {
        ownerId: 'bob',
        subject: 'OWNER',
        measure: 'COST',
        window: 'MONTH',
        amount: 9,
        windowStart: new Date(),
      },
    });
    const before = await rowsOf(prisma, OWNER);
    await expect(assign('bob')).rejects.toThrow('"bob" has a history already (rows in Limit)');
    await expect(assign(OWNER)).rejects.toThrow('to must not be the owner that has the history');
    await expect(assign('')).rejects.toThrow('to must have 1 to 255 characters');
    await expect(assign(TO, { from: 'nobody' })).rejects.toThrow('"nobody" has no history');
    expect(await rowsOf(prisma, OWNER)).toEqual(before);

    for (const status of ['QUEUED', 'RUNNING'] as const) {
      const id = await edit({ prompt: 'p', status });
      await expect(assign()).rejects.toThrow('has 1 edits that are queued or running');
      await prisma.editJob.delete({ where: { id } });
    }
    const jobId = await edit({ prompt: 'p', status: 'CANCELED' });
    const attempt = { ownerId: OWNER, jobId, number: 1, processId: randomUUID(), upstream: 'u' };
    await prisma.editAttempt.create({ data: attempt });
    await expect(assign()).rejects.toThrow('has 1 edits that are queued or running');
    await prisma.editAttempt.updateMany({ data: { state: 'FAILED' } });
    expect(await assign()).toEqual({ edits: 2, images: 1 });
  });

  test('changes nothing if it is interrupted', async () => {
    const parts = await setUp();
    const { prisma, database, blobs, edit } = parts;
    await insertHistory({ prisma, edit });
    const before = await rowsOf(prisma, OWNER);
    const events = createEvents({ database, log: createLog({ level: 'silent' }) });
    const { assignHistory } = createTestCommands({ ...parts, events });
    const ending = new AbortController();
    const note = (line: string) => {
      if (line.startsWith('EditJob:')) ending.abort(new Error('interrupted'));
    };
    await expect(
      assignHistory({ from: OWNER, to: TO }, { ...QUIET, note, signal: ending.signal }),
    ).rejects.toThrow('interrupted');
    expect(await rowsOf(prisma, OWNER)).toEqual(before);
    expect(await blobs.size(blobKey({ ownerId: OWNER, sha256: sha256('fox') }))).toBe(3);
  });

  test.runIf(inject('databaseKind') === 'postgres')(
    'waits for requests that use the tables, without a deadlock',
    async () => {
      const { prisma, edit, assign, progress } = await setUp();
      const id = await edit({ prompt: 'p' });
      const release = Promise.withResolvers<void>();
      const request = prisma.$transaction(async (tx) => {
        await tx.charge.create({
          data: { ownerId: OWNER, jobId: id, amountMicroUsd: 1, priceVersion: 'v' },
        });
        await release.promise;
        // The command holds the lock on this table between its attempts to lock the former.
        await tx.limit.updateMany({ where: { ownerId: OWNER }, data: { settled: 1 } });
      });
      const assigned = assign();
      await expect.poll(() => progress).toContain('waiting for requests that use the tables');
      release.resolve();
      await request;
      expect(await assigned).toEqual({ edits: 1, images: 0 });
      expect(await prisma.charge.count({ where: { ownerId: TO } })).toBe(1);
    },
  );
});

test.runIf(hasDatabase)(
  'each foreign key that contains an owner can be deferred, and is checked at once by default',
  async () => {
    const { prisma } = await setUp();
    const keys = await prisma.$queryRaw<{ name: string; isRight: boolean }[]>`
      SELECT link.conname::text AS name, link.condeferrable AND NOT link.condeferred AS "isRight"
      FROM pg_constraint AS link
      JOIN pg_attribute AS owner ON owner.attrelid = link.conrelid AND owner.attname = 'ownerId'
      WHERE link.contype = 'f' AND owner.attnum = ANY (link.conkey)
        AND link.connamespace = current_schema()::regnamespace`;
    expect(keys.length).toBeGreaterThan(10);
    expect(keys.filter(({ isRight }) => !isRight)).toEqual([]);
  },
);
