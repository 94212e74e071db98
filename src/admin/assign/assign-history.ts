import { setTimeout as delay } from 'node:timers/promises';
import type { Audit, Auditor } from '../../auth/audit.ts';
import { isOwnerId, MAX_OWNER_CHARACTERS } from '../../auth/owner-id.ts';
import { ownedBy } from '../../auth/visible.ts';
import type { PrismaClient, Transaction } from '../../database/database.ts';
import { sqlStateOf } from '../../database/sql-state.ts';
import { InvalidInputError, UnavailableError } from '../../errors.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import { createBlobRemover } from '../../images/storage/remove-blobs.ts';
import type { Events } from '../../queue/events.ts';
import type { CommandRun, Commands } from '../commands/commands.ts';
import { copyBlobs } from './move-blobs.ts';
import { historyOf, lockHistory, moveRows } from './move-rows.ts';

/** A history of a million edits takes minutes. */
const TRANSACTION_MS = 6 * 60 * 60 * 1_000;

/** How often to try to lock the tables: for about half a minute. */
const LOCK_ATTEMPTS = 40;
const LOCK_DELAY_MS = 250;

/** `lock_not_available` and `deadlock_detected`. */
const IN_USE = ['55P03', '40P01'];

/**
 * Moves the whole history of an owner to one that has none: rows, images and the search index. Copies
 * the images first, then moves all rows in one transaction, then removes the images of the old owner.
 * If it is interrupted, nothing has changed, or everything has and the sweep removes those images.
 */
export function createAssignHistory(options: {
  prisma: PrismaClient;
  events: Pick<Events, 'publish'>;
  blobs: BlobStore;
  audit: Audit;
  actor: Auditor;
}): Commands['assignHistory'] {
  const { prisma, events, blobs, audit, actor } = options;
  const remover = createBlobRemover({ prisma, blobs, graceMs: 0 });

  async function removeBlobs(keys: readonly string[], { note, signal }: CommandRun) {
    try {
      await remover.remove(keys, signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      note(`The next sweep removes the remaining images of the old owner (${reason})`);
    }
  }

  return async (owners, run) => {
    const { from, to } = owners;
    if (!isOwnerId(to)) throw invalid('to', INVALID_OWNER);
    if (from === to) throw invalid('to', 'to must not be the owner that has the history.');
    await assertCanMove(prisma, owners);
    // Most of the time goes here, while nothing is locked.
    await copyBlobs(blobs, owners, run);
    const { keys, moved } = await inTransaction(prisma, run, async (tx) => {
      await lockHistory(tx);
      await assertCanMove(tx, owners);
      const keys = await copyBlobs(blobs, owners, run);
      const moved = await moveRows(tx, owners, run);
      await tx.owner.createMany({ data: { id: to }, skipDuplicates: true });
      await audit.record(tx, actor, {
        action: 'assignHistory',
        object: { type: 'Owner', id: from, ownerId: from },
        before: { ownerId: from },
        after: { ownerId: to, rows: moved },
      });
      await events.publish(tx, { kind: 'images', ownerId: from });
      run.signal.throwIfAborted();
      return { keys, moved };
    });
    await removeBlobs(keys, run);
    return { edits: moved['EditJob'] ?? 0, images: moved['Image'] ?? 0 };
  };
}

/** Tries again while requests use the tables. */
async function inTransaction<Result>(
  prisma: PrismaClient,
  { signal, note }: CommandRun,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await prisma.$transaction(work, { timeout: TRANSACTION_MS });
    } catch (error) {
      if (!IN_USE.includes(sqlStateOf(error) ?? '')) throw error;
      if (attempt === LOCK_ATTEMPTS) throw new UnavailableError(BUSY, 60, { cause: error });
      if (attempt === 1) note('waiting for requests that use the tables');
      await delay(LOCK_DELAY_MS);
    }
  }
}

/** @throws InvalidInputError */
async function assertCanMove(
  tx: Pick<Transaction, '$queryRaw' | 'editJob' | 'editAttempt'>,
  { from, to }: { from: string; to: string },
): Promise<void> {
  if ((await historyOf(tx, from)).length === 0) {
    throw invalid('from', `The owner ${JSON.stringify(from)} has no history.`);
  }
  const [table] = await historyOf(tx, to);
  if (table !== undefined) {
    throw invalid(
      'to',
      `The owner ${JSON.stringify(to)} has a history already (rows in ${table}): name an owner without one.`,
    );
  }
  const running = await tx.editJob.count({
    where: { ...ownedBy(from), status: { in: ['QUEUED', 'RUNNING'] } },
  });
  // An edit that was canceled while it ran may still be receiving its response.
  const sent = await tx.editAttempt.count({ where: { ...ownedBy(from), state: 'SENT' } });
  if (running + sent === 0) return;
  throw invalid(
    'from',
    `The owner ${JSON.stringify(from)} has ${Math.max(running, sent)} edits that are queued or running: wait until they end, or cancel them.`,
  );
}

const invalid = (field: string, message: string) =>
  new InvalidInputError(field, 'INVALID_VALUE', message);

const INVALID_OWNER = `to must have 1 to ${MAX_OWNER_CHARACTERS} characters, none of them a control character.`;

const BUSY = 'Running requests use the tables all the time: try again when there are fewer.';
