import { execFile } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Installs what the package-lock.json of a folder has, unless it is there already. @throws where the
 * packages cannot be installed.
 */
export async function installPackages(cwd: string): Promise<void> {
  const lock = join(cwd, 'package-lock.json');
  // Put beside the packages once they are whole: `npm ci` begins by removing both.
  const mark = join(cwd, 'node_modules/.installed-lock.json');
  const installed = await readFile(mark, 'utf8').catch(() => null);
  if (installed === (await readFile(lock, 'utf8'))) return;
  process.stderr.write(`\nInstalling the packages of ${cwd}, once.\n`);
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await promisify(execFile)('npm', args, { cwd });
  await copyFile(lock, mark);
}
