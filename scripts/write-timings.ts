/**
 * `npm run timings`: writes test/timings.json, the seconds that each slow test file takes, from the
 * reports of the last run of each lane. It decides the order in which files run, and nothing else.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { readLanes } from './count-tests.ts';

/** Faster files are left out, in seconds: their order hardly matters. */
const MIN_SECONDS = 3;

const root = join(import.meta.dirname, '..');
const path = join(root, 'test/timings.json');
const timings = new Map<string, number>(
  Object.entries(JSON.parse(await readFile(path, 'utf8').catch(() => '{}'))),
);
for (const { report } of await readLanes()) {
  const { testResults = [] } = JSON.parse(await readFile(report, 'utf8').catch(() => '{}'));
  for (const { name, startTime, endTime } of testResults) {
    timings.set(relative(root, name), Math.round((endTime - startTime) / 1_000));
  }
}
const slow = [...timings].filter(([, seconds]) => seconds >= MIN_SECONDS);
const sorted = slow.sort(([a], [b]) => a.localeCompare(b, 'en'));
await writeFile(path, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
