import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../../config/config.ts';
import { freeBytes } from '../../config/data-dir/disk-space.ts';
import { writeProbe } from '../../config/data-dir/storage-access.ts';
import type { Check } from './check.ts';
import type { DoctorContext } from './context.ts';
import { explain } from './explain.ts';
import { fault, type Outcome, ok, warn } from './finding.ts';

export const DATA_DIR = 'DATA_DIR';

export const DATA_DIR_CHECKS: readonly Check[] = [
  { name: DATA_DIR, settings: ['DATA_DIR'], run: checkDirectory },
  {
    name: 'disk',
    settings: ['DATA_DIR', 'MIN_FREE_DISK_BYTES'],
    after: () => DATA_DIR,
    run: checkDisk,
  },
];

async function checkDirectory({ config }: DoctorContext): Promise<readonly Outcome[]> {
  const { dataDir } = config;
  const dir = resolve(dataDir);
  const existing = await nearestExisting(dir);
  if (existing !== dir) {
    const isUsable = await access(existing, constants.W_OK | constants.X_OK).then(
      async () => (await stat(existing)).isDirectory(),
      () => false,
    );
    return [
      isUsable
        ? ok(`${dir} does not exist yet: the first start creates it`)
        : fault(
            `${dir} does not exist and cannot be created in ${existing}`,
            'Create the directory for the user that runs the service, or set DATA_DIR to another one.',
          ),
    ];
  }
  try {
    await writeProbe(dir);
  } catch (error) {
    return explain(error, config, 'Set DATA_DIR to a directory that this process can write to.');
  }
  const problems = [...(await ownershipOf(dir)), ...(await secretKeyFile(config))];
  return problems.length > 0 ? problems : [ok(`${dir} can be written to`)];
}

async function ownershipOf(dir: string): Promise<readonly Outcome[]> {
  const { uid, mode } = await stat(dir);
  const problems: Outcome[] = [];
  if (process.geteuid?.() === 0 && uid !== 0) {
    problems.push(
      warn(
        `${dir} belongs to user ${uid}, and this command runs as root, who may write anywhere`,
        'Run this command as the user that runs the service, to check DATA_DIR for that user.',
      ),
    );
  }
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
    problems.push(
      warn(
        `other users can write to ${dir}, and could replace what the service trusts`,
        `Run \`chmod go-w\` on DATA_DIR (${dir}).`,
      ),
    );
  }
  return problems;
}

async function secretKeyFile({ dataDir }: Config): Promise<readonly Outcome[]> {
  const path = join(dataDir, 'secret.key');
  const found = await stat(path).catch(() => null);
  if (found === null || process.platform === 'win32' || (found.mode & 0o077) === 0) return [];
  return [
    warn(
      `other users can read ${path}, from which the secrets of webhooks are derived`,
      'Run `chmod 600` on secret.key in DATA_DIR.',
    ),
  ];
}

async function checkDisk({ config }: DoctorContext): Promise<Outcome> {
  const { dataDir, limits } = config;
  const free = await freeBytes(await nearestExisting(resolve(dataDir)));
  if (free >= limits.minFreeDiskBytes) return ok(`${inWords(free)} free`);
  return fault(
    `${inWords(free)} free, fewer than MIN_FREE_DISK_BYTES (${inWords(limits.minFreeDiskBytes)}): no edit is sent and no upload accepted`,
    'Free space on the disk of DATA_DIR, or lower MIN_FREE_DISK_BYTES.',
  );
}

function inWords(bytes: number): string {
  const gigabytes = bytes / 1024 ** 3;
  return gigabytes >= 1 ? `${gigabytes.toFixed(1)} GiB` : `${Math.floor(bytes / 1024 ** 2)} MiB`;
}

/** The path itself, or the closest one above it that exists. */
async function nearestExisting(path: string): Promise<string> {
  for (let dir = path; ; dir = dirname(dir)) {
    const exists = await stat(dir).then(
      () => true,
      () => false,
    );
    if (exists || dir === dirname(dir)) return dir;
  }
}
