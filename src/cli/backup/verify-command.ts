import { resolve } from 'node:path';
import { type ArgsDef, defineCommand } from 'citty';
import { verifyBackup } from '../../admin/backup/verify.ts';
import { readArguments } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { ValueError } from '../usage-error.ts';
import { megabytes } from './megabytes.ts';

const VERIFY = {
  backup: {
    type: 'positional',
    required: false,
    description: 'The directory of a backup. By default, the data of the service',
  },
} as const satisfies ArgsDef;

export function createVerifyCommand(cli: Cli) {
  return defineCommand({
    meta: {
      name: 'verify',
      description: 'Check every image by its hash, and every row by its image',
    },
    args: VERIFY,
    async run({ rawArgs }) {
      const backup = readArguments(rawArgs, VERIFY).optional('backup');
      const { images, bytes, orphans, faults } =
        backup === null ? await cli.run('verify', {}) : await verifyBackup(resolve(backup), cli);
      for (const fault of faults) cli.print(`${fault}\n`);
      cli.note(`${images} images are intact (${megabytes(bytes)}).`);
      if (orphans > 0) cli.note(`${orphans} images have no row; a sweep removes them.`);
      if (faults.length > 0) throw new ValueError(`Found ${faults.length} faults.`);
    },
  });
}
