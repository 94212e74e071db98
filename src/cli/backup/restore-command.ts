import { join, resolve } from 'node:path';
import { type ArgsDef, defineCommand } from 'citty';
import { openLiveContents } from '../../admin/backup/live-contents.ts';
import { BackupError, readManifest } from '../../admin/backup/manifest.ts';
import { type Restored, type RestoreTarget, restore } from '../../admin/backup/restore.ts';
import { findFileFaults, openStoredContents } from '../../admin/backup/stored-contents.ts';
import { writeBackup } from '../../admin/backup/write-backup.ts';
import { loadConfig } from '../../config/config.ts';
import { DELIVER_WEBHOOK } from '../../webhooks/delivery-queue.ts';
import { readArguments } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { megabytes } from './megabytes.ts';
import { openTarget } from './open-target.ts';

const RESTORE = {
  backup: { type: 'positional', required: true, description: 'The directory of a backup' },
  replace: {
    type: 'boolean',
    description: 'Replace what is there, after a restore point of it was made',
  },
  'restore-point': {
    type: 'string',
    description: 'A new directory for the restore point. In DATA_DIR by default',
    valueHint: 'directory',
  },
  requeue: {
    type: 'boolean',
    description: 'Send edits that were queued, although they may have been sent since',
  },
  'skip-damaged': {
    type: 'boolean',
    description: 'Restore without images that are missing or damaged',
  },
} as const satisfies ArgsDef;

export function createRestoreCommand(cli: Cli) {
  return defineCommand({
    meta: { name: 'restore', description: 'Restore a backup; the service must not run' },
    args: RESTORE,
    async run({ rawArgs }) {
      const args = readArguments(rawArgs, RESTORE);
      const dir = resolve(args.required('backup'));
      const { log, progress, signal } = cli;
      const manifest = await readManifest(dir);
      const faults = await findFileFaults(dir, manifest);
      if (faults.length > 0) {
        throw new BackupError(`${faults.join('\n')}\nNothing is restored: use another backup.`);
      }
      const config = loadConfig(cli.env);
      await using target = await openTarget({ config, log });
      const point = args.optional('restore-point') ?? defaultPoint(config.dataDir, cli.now);
      const restored = await restore({
        contents: await openStoredContents(dir, manifest),
        target,
        onUsed: () =>
          makeRestorePoint({ cli, target, dir: resolve(point), isAllowed: args.flag('replace') }),
        requeue: args.flag('requeue'),
        skipsDamaged: args.flag('skip-damaged'),
        deliverWebhook: DELIVER_WEBHOOK,
        log,
        progress,
        signal,
      });
      for (const line of describeRestored(restored, args.flag('requeue'))) cli.note(line);
      if (config.database.kind === 'postgres' || config.secretKey !== null) {
        cli.note('SECRET_KEY must be the key of the installation that was backed up.');
      }
    },
  });
}

/** In DATA_DIR, so that the images can be linked. */
const defaultPoint = (dataDir: string, now: Date) =>
  join(dataDir, 'restore-points', now.toISOString().replaceAll(':', '-'));

async function makeRestorePoint(options: {
  cli: Cli;
  target: RestoreTarget;
  dir: string;
  isAllowed: boolean;
}): Promise<void> {
  const { cli, target, dir, isAllowed } = options;
  if (!isAllowed) {
    throw new BackupError(
      'The database to restore to is not empty: use another one, or replace what is there by --replace.',
    );
  }
  const { version, progress, signal } = cli;
  await using session = await target.database.openForMigration();
  const contents = await openLiveContents({ ...target, session });
  const { faults } = await writeBackup({
    dir,
    contents,
    version,
    linksImages: true,
    progress,
    signal,
  });
  for (const fault of faults) cli.note(fault);
  cli.note(`Made a restore point, which is a backup of what was there: ${dir}`);
}

/** What a restore has done, and what the next start does. */
export function describeRestored(restored: Restored, isRequeued: boolean): readonly string[] {
  const { rows, edits, images, bytes, faults, queuedEdits, runningEdits, deliveries } = restored;
  const lines = [
    ...faults,
    `Restored ${rows} rows with ${edits} edits, and ${images} images (${megabytes(bytes)}).`,
  ];
  if (queuedEdits > 0) {
    lines.push(
      isRequeued
        ? `${queuedEdits} edits are queued again: the next start sends them.`
        : `${queuedEdits} edits were queued and may have been sent since: the next start ends them as OUTCOME_UNKNOWN. Retry those that were not.`,
    );
  }
  if (runningEdits > 0) {
    lines.push(
      `${runningEdits} edits were running: the next start ends them from their stored response, or as OUTCOME_UNKNOWN.`,
    );
  }
  if (deliveries > 0) lines.push(`${deliveries} webhook deliveries are pending again.`);
  return lines;
}
