/**
 * `npm ci` ends with this (`prepare`), and the Dockerfile runs it: generates the database client,
 * bundles GraphiQL's page, and does what each start would do (`npm run build:start`).
 * Plain JavaScript, since any Node.js that runs npm may run it. The rest runs on the pinned Node.js,
 * or in the Dockerfile on the image's.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NEEDED = ['node', 'prisma-cli', 'vite'];
const STEPS = [
  'node scripts/generate.js',
  'node --disable-warning=ExperimentalWarning scripts/build-page.ts',
];
const LAST_STEP = 'node --disable-warning=ExperimentalWarning src/app/warm-up.ts';

/** Resolves to the output if the step fails, else to nothing. */
function run(step) {
  return new Promise((resolve) => {
    const child = spawn(step, { cwd: ROOT, shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => chunks.push(chunk));
    }
    child.on('close', (exitCode) =>
      resolve(exitCode === 0 ? [] : [`$ ${step}\n`, ...chunks.map(String)]),
    );
  });
}

if (NEEDED.every((name) => existsSync(join(ROOT, 'node_modules', name)))) {
  process.env.PATH = join(ROOT, 'node_modules', '.bin') + delimiter + process.env.PATH;
  const failed = (await Promise.all(STEPS.map(run))).flat();
  // It loads what the others have made. The Dockerfile runs it in the stage that has the service.
  if (failed.length === 0 && existsSync(join(ROOT, 'src/app')))
    failed.push(...(await run(LAST_STEP)));
  for (const chunk of failed) {
    process.stderr.write(chunk);
    process.exitCode = 1;
  }
} else {
  process.stderr.write(
    'Retouch needs its development dependencies to generate code: run `npm ci` without --omit=dev, or build the container, which leaves them out.\n',
  );
  process.exitCode = 1;
}
