import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { countTests, readLanes } from '../../scripts/count-tests.ts';
import config from '../../vitest.config.ts';
import { databaseKind } from '../support/database-kind.ts';
import { temporaryDirectory } from '../support/directory.ts';

/** A report with so many tests; `unloaded`: and with a file that could not be loaded. */
const report = (passed: number, failed: number, { unloaded = false } = {}) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [
    { status: 'failed', assertionResults: [{ status: failed > 0 ? 'failed' : 'passed' }] },
  ].slice(unloaded || failed > 0 ? 0 : 1),
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
  expect(await countTests(lanes)).toEqual({ line: '7 passed, 2 failed', failed: 2 });
});

test('a file that could not be loaded counts as a failure', async () => {
  const lanes = await lanesWith({ one: report(3, 0, { unloaded: true }) });
  expect(await countTests(lanes)).toEqual({ line: '3 passed, 1 failed', failed: 1 });
});

test('a lane without a report counts as a failure, and is named', async () => {
  const lanes = await lanesWith({ one: report(3, 0), two: null });
  const { line, failed } = await countTests(lanes);
  expect(line).toBe('npm run two wrote no report.\n3 passed, 1 failed');
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
