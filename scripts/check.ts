/**
 * `npm run check:static`: everything but the tests. Every check runs, also after one has failed;
 * names after the command run only those.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const SCRIPT = ['node', '--disable-warning=ExperimentalWarning'];
const CHECKS: Record<string, readonly string[]> = {
  'format and lint': ['biome', 'check', '--error-on-warnings'],
  types: ['tsc', '--noEmit'],
  'types of the page': ['tsc', '--noEmit', '--project', 'src/graphiql'],
  unused: ['knip'],
  layers: ['depcruise', '--output-type', 'err', 'src', 'scripts', 'test', 'bench'],
  words: [...SCRIPT, 'scripts/check-words.ts'],
  modules: [...SCRIPT, 'scripts/check-modules.ts'],
  schemas: [...SCRIPT, 'scripts/print-schema.ts', '--check'],
  'build/graphiql': [...SCRIPT, 'scripts/build-page.ts', '--check'],
  migrations: [...SCRIPT, 'scripts/new-migration.ts', '--check'],
  'rules of migrations': [...SCRIPT, 'scripts/check-migrations.ts'],
  'package-lock.json': [...SCRIPT, 'scripts/lockfile.ts', '--check'],
};

const wanted = process.argv.slice(2);
const checks = Object.entries(CHECKS).filter(
  ([name]) => wanted.length === 0 || wanted.includes(name),
);
for (const [name, [command = '', ...args]] of checks) {
  const startedMs = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  process.stdout.write(`${exitCode === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)\n`);
  if (exitCode !== 0) {
    process.stdout.write(`\n$ ${[command, ...args].join(' ')}\n${stdout}${stderr}\n`);
    process.exitCode = 1;
  }
}
