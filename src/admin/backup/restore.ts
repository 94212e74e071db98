import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_FILE } from '../../config/data-dir/private-directory.ts';
import type { Database } from '../../database/database.ts';
import { readMigrations } from '../../database/migrations.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import type { Log } from '../../log.ts';
import type { Progress } from '../progress.ts';
import type { Contents } from './contents.ts';
import { type DeliverWebhook, finishRestore, type RestoredQueue } from './finish-restore.ts';
import { loadTables } from './load-tables.ts';
import { BackupError } from './manifest.ts';
import { beginRestore, inspectTarget, type TargetState } from './restore-target.ts';
import { moveDurably, type StoredFiles, storeFiles } from './store-files.ts';

/** An installation that gets contents, opened without a migration. */
export interface RestoreTarget {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly dataDir: string;
}

export interface Restored extends RestoredQueue, Omit<StoredFiles, 'storedAnswers'> {
  readonly rows: number;
  readonly edits: number;
}

/**
 * Writes contents to an installation: the files first, then the database, which no service opens
 * until it is complete. An interrupted call can be repeated; before the database was marked, nothing
 * has changed but for images that a sweep removes.
 * @param options.onUsed Called when the target has data, before anything changes; it throws to stop.
 * @throws BackupError
 */
export async function restore(options: {
  contents: Contents;
  target: RestoreTarget;
  onUsed: () => Promise<void>;
  /** Sends edits that were queued. */
  requeue: boolean;
  /** Restores without images that are missing or damaged. */
  skipsDamaged: boolean;
  deliverWebhook: DeliverWebhook;
  log: Log;
  progress: Progress;
  signal: AbortSignal;
}): Promise<Restored> {
  const { contents, target, onUsed, requeue, skipsDamaged, deliverWebhook, log, progress, signal } =
    options;
  const { database, blobs, dataDir } = target;
  const migrations = await readMigrations();
  assertKnown(contents, new Map(migrations.map(({ name, checksum }) => [name, checksum])));
  await using session = await database.openForMigration();
  const state: TargetState = await inspectTarget(database, session);
  if (state === 'used') await onUsed();

  const { storedAnswers, ...files } = await storeFiles({
    contents,
    blobs,
    dataDir,
    progress,
    signal,
  });
  if (files.faults.length > 0 && !skipsDamaged) {
    throw new BackupError(
      `${files.faults.join('\n')}\nNothing is restored: use another backup, or restore without these images by --skip-damaged.`,
    );
  }
  signal.throwIfAborted();
  await beginRestore(session);
  const isEmbedded = database.kind === 'pglite';
  await loadTables({ session, migrations, contents, isEmbedded, progress, log, signal });
  if (contents.secretKey !== null && isEmbedded) await writeKey(dataDir, contents.secretKey);
  const waiting = await finishRestore({
    database,
    requeue,
    storedAnswers,
    deliverWebhook,
    log,
  });
  const rowsOf = (table: string) => contents.tables.find(({ name }) => name === table)?.rows ?? 0;
  return {
    ...files,
    ...waiting,
    rows: contents.tables.reduce((sum, { rows }) => sum + rows, 0),
    edits: rowsOf('EditJob'),
  };
}

/** @throws BackupError */
function assertKnown({ migrations }: Contents, known: ReadonlyMap<string, string>): void {
  const newer = migrations.find(({ name }) => !known.has(name));
  if (newer !== undefined) {
    throw new BackupError(
      `The backup has migration ${newer.name}, which this release does not know: restore it with the release that wrote it, or a newer one.`,
    );
  }
  const changed = migrations.find(({ name, checksum }) => known.get(name) !== checksum);
  if (changed === undefined) return;
  throw new BackupError(`Migration ${changed.name} of the backup differs from this release's.`);
}

async function writeKey(dataDir: string, secretKey: string): Promise<void> {
  const path = join(dataDir, 'secret.key');
  const fresh = `${path}.restored`;
  await writeFile(fresh, secretKey, { mode: PRIVATE_FILE });
  await moveDurably(fresh, path);
}
