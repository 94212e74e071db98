import { resolve } from 'node:path';
import { type ArgsDef, defineCommand } from 'citty';
import { writeBackup } from '../../admin/backup/write-backup.ts';
import { loadConfig } from '../../config/config.ts';
import { readArguments } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { ValueError } from '../usage-error.ts';
import { megabytes } from './megabytes.ts';
import { openSource } from './open-source.ts';

const BACKUP = {
  directory: {
    type: 'positional',
    required: true,
    description: 'A new directory for the backup',
  },
} as const satisfies ArgsDef;

export function createBackupCommand(cli: Cli) {
  return defineCommand({
    meta: { name: 'backup', description: 'Back up the database and all files to a directory' },
    args: BACKUP,
    async run({ rawArgs }) {
      const dir = resolve(readArguments(rawArgs, BACKUP).required('directory'));
      const config = loadConfig(cli.env);
      const { log, version, progress, signal } = cli;
      await using source = await openSource({ config, log });
      const { contents } = source;
      const written = await writeBackup({ dir, contents, version, progress, signal });
      const { rows, images, bytes, faults } = written;
      cli.print(`${dir}\n`);
      cli.note(`Backed up ${rows} rows and ${images} images (${megabytes(bytes)}).`);
      if (contents.secretKey === null || config.secretKey !== null) cli.note(NO_KEY);
      if (faults.length === 0) return;
      throw new ValueError(
        `${faults.join('\n')}\nThe backup is complete but for these ${faults.length} images.`,
      );
    },
  });
}

const NO_KEY = 'SECRET_KEY is not in the backup: store it elsewhere, you need it after a restore.';
