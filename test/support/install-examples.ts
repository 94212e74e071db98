import { execFile } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { EXAMPLES, INSTALLED_EXAMPLES } from './examples.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Whether the packages of the examples are there. */
    hasExamples: boolean;
  }
}

const run = promisify(execFile);

/**
 * Installs the packages of the examples, and generates their types, as each would by itself. The
 * packages are installed once; where they cannot be, the suites of the examples are skipped.
 */
export default async function setup({ provide }: TestProject) {
  const hasExamples = await installAll();
  provide('hasExamples', hasExamples);
  // A failure here is no missing package: the example does not fit the schema.
  if (hasExamples) await Promise.all(INSTALLED_EXAMPLES.map(generateTypes));
}

async function installAll(): Promise<boolean> {
  try {
    for (const name of INSTALLED_EXAMPLES) await install(join(EXAMPLES, name));
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `\nSKIPPED the clients of examples/: their packages are not there (${reason}).\n\n`,
    );
    return false;
  }
}

async function install(cwd: string): Promise<void> {
  const lock = join(cwd, 'package-lock.json');
  // Put beside the packages once they are whole: `npm ci` begins by removing both.
  const mark = join(cwd, 'node_modules/.installed-lock.json');
  const installed = await readFile(mark, 'utf8').catch(() => null);
  if (installed !== (await readFile(lock, 'utf8'))) {
    process.stderr.write(`\nInstalling the packages of ${cwd}, once.\n`);
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd });
    await copyFile(lock, mark);
  }
}

async function generateTypes(name: string): Promise<void> {
  await run('npm', ['run', 'types'], { cwd: join(EXAMPLES, name) });
}
