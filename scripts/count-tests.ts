/**
 * `node scripts/count-tests.ts`: adds up the reports of all lanes and prints `N passed, N failed`. A
 * lane without a report counts as one failure, and so does a file that could not be loaded.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** A script of package.json that runs tests, and the file that it writes its results to. */
export interface Lane {
  readonly script: string;
  readonly report: string;
  /** Of vitest.config.ts. */
  readonly projects: readonly string[];
}

/** What Vitest's JSON reporter writes. */
interface Results {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** The scripts that write a report, in the order of package.json. */
export async function readLanes(root = ROOT): Promise<readonly Lane[]> {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return Object.entries<string>(scripts).flatMap(([script, command]) => {
    const [, path] = /--outputFile\.json=(\S+)/.exec(command) ?? [];
    const projects = [...command.matchAll(/--project (\S+)/g)].map(([, name = '']) => name);
    return path === undefined ? [] : [{ script, report: join(root, path), projects }];
  });
}

export async function countTests(
  lanes: readonly Lane[],
): Promise<{ line: string; failed: number }> {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const missing: string[] = [];
  for (const { script, report } of lanes) {
    const results = await readResults(report);
    if (results === null) {
      missing.push(`npm run ${script} wrote no report.\n`);
      total.failed++;
      continue;
    }
    const unloaded = results.testResults.filter(
      ({ status, assertionResults }) =>
        status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
    );
    total.passed += results.numPassedTests;
    total.failed += results.numFailedTests + unloaded.length;
    total.skipped += results.numPendingTests + results.numTodoTests;
  }
  const { passed, failed, skipped } = total;
  const counted = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { line: missing.join('') + counted, failed };
}

async function readResults(report: string): Promise<Results | null> {
  try {
    return JSON.parse(await readFile(report, 'utf8'));
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const { line, failed } = await countTests(await readLanes());
  process.stdout.write(`${line}\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
