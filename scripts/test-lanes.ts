/**
 * `npm run test:all`: runs the lanes one after the other, also after one has failed, and prints the
 * total. With `--rest`, for .ci/run: without the lane `npm test` and the total.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { countTests, readLanes } from './count-tests.ts';

const isRest = process.argv.includes('--rest');
const lanes = await readLanes();
let isFailed = false;
for (const { script, report } of lanes) {
  if (isRest && script === 'test') continue;
  // A lane that ends before it reports must not be counted by its last report.
  await rm(report, { force: true });
  await mkdir(dirname(report), { recursive: true });
  const child = spawn('npm', ['run', script], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  const [exitCode] = await once(child, 'exit');
  if (exitCode !== 0) isFailed = true;
}
if (!isRest) {
  const { summary, failed } = await countTests(lanes);
  process.stdout.write(`${summary}\n`);
  isFailed ||= failed > 0;
}
process.exitCode = isFailed ? 1 : 0;
