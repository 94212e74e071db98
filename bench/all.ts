import { parseArgs } from 'node:util';
import { isMet } from '../test/support/report.ts';
import { BENCHES } from './results/benches.ts';
import { readPlace } from './results/place.ts';
import { runBench } from './results/run-bench.ts';
import { SECTIONS_DIR, storeSection } from './results/store.ts';

/**
 * Runs all benches, one after the other, and writes `bench/RESULTS.md` after each. A missed bar or a
 * failure stops none of them. Exit code 1: there was one.
 *
 * `node bench/all.ts [--only forward,peers] [--quick]`; an hour or so, wants an idle machine. With
 * `--only`, the sections of all others stay as they are. With `--quick`, each makes fewer runs.
 */
const { values } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
const only = values.only?.split(',');
const unknown = only?.filter((name) => !BENCHES.some((bench) => bench.name === name)) ?? [];
if (unknown.length > 0) {
  const names = BENCHES.map(({ name }) => name).join(', ');
  throw new Error(`there is no bench ${unknown.join(', ')}; --only takes some of ${names}`);
}

const place = await readPlace();
const failed: string[] = [];
for (const bench of BENCHES) {
  if (only !== undefined && !only.includes(bench.name)) continue;
  process.stdout.write(`\n== ${bench.name}: ${bench.title}\n`);
  const section = await runBench(bench, {
    isQuick: values.quick,
    place,
    scratchDir: SECTIONS_DIR,
  });
  await storeSection(section);
  if (section.failure !== undefined || !section.rows.every(isMet)) failed.push(bench.name);
}
process.stdout.write(
  `\nbench/RESULTS.md is written. ${failed.length === 0 ? 'Every threshold is met.' : `Missed in ${failed.join(', ')}.`}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
