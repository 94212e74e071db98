import { type ArgsDef, defineCommand } from 'citty';
import { openLiveContents } from '../../admin/backup/live-contents.ts';
import { BackupError } from '../../admin/backup/manifest.ts';
import { restore } from '../../admin/backup/restore.ts';
import { ofAllOwners } from '../../auth/visible.ts';
import { loadConfig } from '../../config/config.ts';
import type { PrismaClient } from '../../database/database.ts';
import { DELIVER_WEBHOOK } from '../../webhooks/delivery-queue.ts';
import { readArguments } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { openTarget } from './open-target.ts';
import { describeRestored } from './restore-command.ts';

const COPY = {
  'to-database': {
    type: 'string',
    required: true,
    description: 'The Postgres server to copy to, as in DATABASE_URL; it must be empty',
    valueHint: 'postgres://…',
  },
  'to-storage': {
    type: 'string',
    description: 'The bucket to copy the images to, as in STORAGE_URL. By default they stay',
    valueHint: 's3://…',
  },
  'to-data-dir': {
    type: 'string',
    description: 'The DATA_DIR to copy the files to. By default they stay',
    valueHint: 'directory',
  },
  requeue: {
    type: 'boolean',
    description: 'Take queued edits along; never start the source again then',
  },
} as const satisfies ArgsDef;

export function createCopyCommand(cli: Cli) {
  return defineCommand({
    meta: {
      name: 'copy',
      description: 'Copy an embedded database to Postgres; the service must not run',
    },
    args: COPY,
    async run({ rawArgs }) {
      const args = readArguments(rawArgs, COPY);
      const { env, log, progress, signal } = cli;
      const from = loadConfig({ ...env, DATABASE_URL: undefined, DATABASE_DIRECT_URL: undefined });
      const to = loadConfig({
        ...env,
        DATABASE_URL: args.required('to-database'),
        DATA_DIR: args.optional('to-data-dir') ?? env['DATA_DIR'],
        STORAGE_URL: args.optional('to-storage') ?? env['STORAGE_URL'],
      });
      await using source = await openTarget({ config: from, log });
      await using target = await openTarget({ config: to, log });
      await using session = await source.database.openForMigration();
      const requeue = args.flag('requeue');
      const contents = await openLiveContents({ ...source, session });
      if (!requeue) await assertNoneQueued(source.database.prisma);
      const copied = await restore({
        contents,
        target,
        onUsed: async () => {
          throw new BackupError('The database to copy to is not empty: use an empty one.');
        },
        requeue,
        skipsDamaged: false,
        deliverWebhook: DELIVER_WEBHOOK,
        log,
        progress,
        signal,
      });
      for (const line of describeRestored(copied, requeue)) {
        cli.note(line.replace(/^Restored/, 'Copied'));
      }
      cli.note(NEXT);
    },
  });
}

/** The source still has them, and would send them as well. @throws BackupError */
async function assertNoneQueued(prisma: PrismaClient): Promise<void> {
  const queued = await ofAllOwners(prisma).editJob.count({ where: { status: 'QUEUED' } });
  if (queued === 0) return;
  throw new BackupError(
    `${queued} edits are queued: start the service until they have ended, or take them along by --requeue and never start it on this DATA_DIR without DATABASE_URL again.`,
  );
}

const NEXT =
  'Set DATABASE_URL, and STORAGE_URL and DATA_DIR if they have changed. Set SECRET_KEY to the content of secret.key in DATA_DIR, so that links and webhook secrets stay valid.';
