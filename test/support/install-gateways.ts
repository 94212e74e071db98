import { execFile } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { FEDERATION_EXAMPLE } from './federation-example.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Whether the packages of examples/federation are there. */
    hasGateways: boolean;
  }
}

/** Put beside the packages once they are whole: `npm ci` begins by removing both. */
const INSTALLED = join(FEDERATION_EXAMPLE, 'node_modules/.installed-lock.json');
const LOCK = join(FEDERATION_EXAMPLE, 'package-lock.json');

/**
 * Installs what the suites of the gateways need and nothing else does: 660 MB. It is done once; where
 * it cannot be, those suites are skipped.
 */
export default async function setup({ provide }: TestProject) {
  provide('hasGateways', (await isInstalled()) || (await install()));
}

async function isInstalled(): Promise<boolean> {
  const installed = await readFile(INSTALLED, 'utf8').catch(() => null);
  return installed === (await readFile(LOCK, 'utf8'));
}

async function install(): Promise<boolean> {
  process.stderr.write('\nInstalling the gateways (examples/federation), once.\n');
  try {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await promisify(execFile)('npm', args, { cwd: FEDERATION_EXAMPLE });
    await copyFile(LOCK, INSTALLED);
    return true;
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error)
      .split('\n')
      .slice(1);
    process.stderr.write(
      `\nSKIPPED through Apollo Gateway and Hive Gateway: \`npm ci\` in examples/federation failed (${reason}).\n\n`,
    );
    return false;
  }
}
