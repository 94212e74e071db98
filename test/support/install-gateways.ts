import type { TestProject } from 'vitest/node';
import { FEDERATION_EXAMPLE } from './federation-example.ts';
import { installPackages } from './install-packages.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Whether the packages of examples/federation are there. */
    hasGateways: boolean;
  }
}

/**
 * Installs what the suites of the gateways need and nothing else does: 660 MB. It is done once; where
 * it cannot be, those suites are skipped.
 */
export default async function setup({ provide }: TestProject) {
  provide('hasGateways', await install());
}

async function install(): Promise<boolean> {
  try {
    await installPackages(FEDERATION_EXAMPLE);
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
