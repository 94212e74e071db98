/**
 * `node scripts/count-tests.ts`: adds up the reports of all lanes and prints `N passed, N failed`, below
 * each failure with the start of its message. A lane without a report counts as one failure, and so
 * does a file that could not be loaded.
 */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** The lines that are shown of a failure's message. */
const MESSAGE_LINES = 12;

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
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  /** The path of the file. */
  readonly name: string;
  readonly status: string;
  /** Why the file could not be loaded. */
  readonly message: string;
  readonly assertionResults: readonly {
    readonly status: string;
    readonly fullName: string;
    readonly failureMessages?: readonly string[] | null;
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
): Promise<{ summary: string; failed: number }> {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const failures: string[] = [];
  for (const { script, report } of lanes) {
    const results = await readResults(report);
    if (results === null) {
      failures.push(`npm run ${script} wrote no report.`);
      total.failed++;
      continue;
    }
    const unloaded = results.testResults.filter(isUnloaded);
    failures.push(...results.testResults.flatMap((file) => describeFailures(script, file)));
    total.passed += results.numPassedTests;
    total.failed += results.numFailedTests + unloaded.length;
    total.skipped += results.numPendingTests + results.numTodoTests;
  }
  const { passed, failed, skipped } = total;
  const counted = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { summary: [...failures, counted].join('\n'), failed };
}

function isUnloaded({ status, assertionResults }: TestFile): boolean {
  return status === 'failed' && assertionResults.every((test) => test.status !== 'failed');
}

function describeFailures(script: string, file: TestFile): string[] {
  const path = relative(ROOT, file.name);
  if (isUnloaded(file)) return [describe(`${script}: ${path}`, file.message)];
  return file.assertionResults
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) =>
      describe(`${script}: ${path}: ${fullName}`, failureMessages?.join('\n') ?? ''),
    );
}

function describe(where: string, message: string): string {
  const lines = message.split('\n').slice(0, MESSAGE_LINES);
  return [`FAILED ${where}`, ...lines.map((line) => `  ${line}`)].join('\n');
}

async function readResults(report: string): Promise<Results | null> {
  try {
    return JSON.parse(await readFile(report, 'utf8'));
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const { summary, failed } = await countTests(await readLanes());
  process.stdout.write(`${summary}\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
