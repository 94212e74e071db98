/**
 * Checks the modules of src/: their number, their imports, and the length of their functions. Prints
 * the figures, and fails with one line for each violation.
 */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModuleLimits, reportModules } from './module-report.ts';
import { MODULES, PAGE } from './modules.ts';

const LIMITS: ModuleLimits = {
  modules: 26,
  chain: 12,
  functionLines: 120,
  looseFiles: ['main.ts', 'errors.ts', 'log.ts'],
};

const SRC = join(import.meta.dirname, '../src');
const GENERATED = 'database/generated/';

const sources = new Map<string, string>();
for await (const path of glob('**/*.{ts,tsx}', { cwd: SRC })) {
  if (path.startsWith(GENERATED)) continue;
  sources.set(path, await readFile(join(SRC, path), 'utf8'));
}
const { figures, problems } = reportModules({
  sources,
  order: MODULES,
  page: PAGE,
  limits: LIMITS,
});
const { modules, imports, longestChain, longestFunction } = figures;
process.stdout.write(`modules          ${modules} (at most ${LIMITS.modules})
imports          ${imports} between modules
longest chain    ${longestChain.length} (at most ${LIMITS.chain}): ${longestChain.join(' -> ')}
longest function ${longestFunction} (at most ${LIMITS.functionLines})
`);
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;
