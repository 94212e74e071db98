import { join } from 'node:path';
import { ENVIRONMENT, NODE_FLAGS } from './process-options.ts';

/**
 * The entry point: becomes main.ts, in the same process, under the options that it needs and that
 * only a process's start can set. What the caller has set wins. Where a process cannot be replaced
 * (Windows), main.ts runs without them.
 */
if (process.platform !== 'win32' && process.execve) {
  // What an env file says is in the environment by now.
  const given = process.execArgv.filter((flag) => !flag.startsWith('--env-file'));
  const flags = [...NODE_FLAGS, ...given];
  const main = join(import.meta.dirname, 'main.ts');
  process.execve(process.execPath, [process.execPath, ...flags, main], {
    ...ENVIRONMENT,
    ...process.env,
  });
} else {
  await import('./main.ts');
}
