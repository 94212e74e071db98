#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { WEBASSEMBLY_FLAGS } from '../app/node-options.ts';

// For `retouch` itself: Node's --env-file-if-exists would print that there is none.
if (existsSync('.env')) process.loadEnvFile();

// Before WebAssembly is compiled, which these imports and the embedded database do.
for (const flag of WEBASSEMBLY_FLAGS) setFlagsFromString(flag);
const { runCli } = await import('./run-cli.ts');

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // A second signal ends the process.
  process.once(signal, () => ending.abort(new Error('The command was interrupted.')));
}

// The reader of a pipe, such as `head`, has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const exitCode = await runCli({
  args: process.argv.slice(2),
  env: process.env,
  async stdout(text) {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  },
  stderr: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  signal: ending.signal,
});
// Timers of dependencies, such as the schema engine's, would keep the process running. What was
// written to a pipe must be read first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
