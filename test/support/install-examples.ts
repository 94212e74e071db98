import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { EXAMPLES, INSTALLED_EXAMPLES } from './examples.ts';
import { installPackages } from './install-packages.ts';

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
    for (const name of INSTALLED_EXAMPLES) await installPackages(join(EXAMPLES, name));
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `\nSKIPPED the clients of examples/: their packages are not there (${reason}).\n\n`,
    );
    return false;
  }
}

async function generateTypes(name: string): Promise<void> {
  await run('npm', ['run', 'types'], { cwd: join(EXAMPLES, name) });
}
