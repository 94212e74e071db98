/**
 * `node scripts/count-tests.ts <file>`: reads what vitest's JSON reporter wrote and prints
 * `N passed, N failed`. A run that wrote nothing, or a file that could not be loaded, has failed.
 */
import { readFile } from 'node:fs/promises';

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

const written = await readFile(process.argv[2] ?? '', 'utf8').catch(() => '');
const results: Partial<Results> = JSON.parse(written || '{}');
const { numPassedTests = 0, numFailedTests = 0, testResults } = results;
const brokenFiles = (testResults ?? []).filter(
  ({ status, assertionResults }) =>
    status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
);
const failed = testResults === undefined ? 1 : numFailedTests + brokenFiles.length;
const skipped = (results.numPendingTests ?? 0) + (results.numTodoTests ?? 0);
const more = skipped > 0 ? `, ${skipped} skipped` : '';
process.stdout.write(`${numPassedTests} passed, ${failed} failed${more}\n`);
process.exitCode = failed === 0 ? 0 : 1;
