import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ENVIRONMENT, NODE_FLAGS } from './node-options.ts';

const MAIN = join(import.meta.dirname, '../main.ts');

/**
 * The entry point: becomes main.ts, in the same process, under the options that it needs and that
 * only a process's start can set. What the caller has set wins. Where a process cannot be replaced
 * (Windows), main.ts runs without them.
 */
if (process.platform !== 'win32' && process.execve) {
  // What an env file says is in the environment by now.
  const given = process.execArgv.filter((flag) => !flag.startsWith('--env-file'));
  const flags = [...NODE_FLAGS, ...given];
  process.execve(process.execPath, [process.execPath, ...flags, MAIN], {
    ...ENVIRONMENT,
    ...process.env,
  });
} else {
  await import(pathToFileURL(MAIN).href);
}
