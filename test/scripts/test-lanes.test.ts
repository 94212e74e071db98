import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { countTests, readLanes } from '../../scripts/count-tests.ts';
import config from '../../vitest.config.ts';
import { databaseKind } from '../support/database-kind.ts';
import { temporaryDirectory } from '../support/directory.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A report with so many tests; `unloaded`: and with a file that could not be loaded. */
const report = (passed: number, failed: number, { unloaded = false } = {}) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [
    ...Array.from({ length: failed }, (_, i) => ({
      name: join(ROOT, 'test/some.test.ts'),
      status: 'failed',
      message: '',
      assertionResults: [
        { status: 'passed', fullName: 'the answer is a number' },
        {
          status: 'failed',
          fullName: `the answer is ${i + 42}`,
          failureMessages: ['expected 41\n    at some.test.ts:3'],
        },
      ],
    })),
    ...(unloaded
      ? [
          {
            name: join(ROOT, 'test/other.test.ts'),
            status: 'failed',
            message: 'Cannot find module ./gone.ts',
            assertionResults: [],
          },
        ]
      : []),
  ],
});

async function lanesWith(reports: Record<string, object | null>) {
  const dir = await temporaryDirectory();
  const scripts = Object.fromEntries(
    Object.keys(reports).map((name) => [name, `vitest run --outputFile.json=build/${name}.json`]),
  );
  await writeFile(join(dir, 'package.json'), JSON.stringify({ scripts }));
  const lanes = await readLanes(dir);
  for (const { script, report } of lanes) {
    await mkdir(dirname(report), { recursive: true });
    if (reports[script]) await writeFile(report, JSON.stringify(reports[script]));
  }
  return lanes;
}

test('the total adds up the reports of all lanes', async () => {
  const lanes = await lanesWith({ one: report(3, 0), two: report(4, 2) });
  const { summary, failed } = await countTests(lanes);
  expect(summary.split('\n').at(-1)).toBe('7 passed, 2 failed');
  expect(failed).toBe(2);
});

test('each failure is named above the total, with its lane, its file and its message', async () => {
  const lanes = await lanesWith({ one: report(3, 0, { unloaded: true }), two: report(4, 2) });
  const { summary } = await countTests(lanes);
  expect(summary.split('\n')).toEqual([
    'FAILED one: test/other.test.ts',
    '  Cannot find module ./gone.ts',
    'FAILED two: test/some.test.ts: the answer is 42',
    '  expected 41',
    '      at some.test.ts:3',
    'FAILED two: test/some.test.ts: the answer is 43',
    '  expected 41',
    '      at some.test.ts:3',
    '7 passed, 3 failed',
  ]);
});

test('a file that could not be loaded counts as a failure', async () => {
  const lanes = await lanesWith({ one: report(3, 0, { unloaded: true }) });
  const { summary, failed } = await countTests(lanes);
  expect(summary.split('\n').at(-1)).toBe('3 passed, 1 failed');
  expect(failed).toBe(1);
});

test('a lane without a report counts as a failure, and is named', async () => {
  const lanes = await lanesWith({ one: report(3, 0), two: null });
  const { summary, failed } = await countTests(lanes);
  expect(summary).toBe('npm run two wrote no report.\n3 passed, 1 failed');
  expect(failed).toBe(1);
});

test('each project of vitest.config.ts is in one lane, and each lane has a report of its own', async () => {
  const lanes = await readLanes();
  const inLanes = lanes.flatMap(({ projects }) => projects);
  const names = (config.test?.projects ?? []).map((project) =>
    typeof project === 'object' && 'test' in project ? project.test?.name : project,
  );
  expect(inLanes.toSorted()).toEqual(names.toSorted());
  expect(new Set(lanes.map(({ report }) => report)).size).toBe(lanes.length);
});

test('a test that uses a database outside a *.db.test.ts file fails', () => {
  expect(databaseKind).toThrow('must be in a *.db.test.ts file');
});
