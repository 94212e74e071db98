import { parseArgs } from 'node:util';
import { createSandbox } from './sandbox.ts';

/**
 * Runs the sandbox as a separate process, for tests and benchmarks: `node src/sandbox/standalone.ts
 * --port 0 --delay-ms 50`. Prints one line of JSON with its `url` once it listens; SIGTERM and
 * SIGINT stop it.
 */
const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'delay-ms': { type: 'string', default: '1500' },
    'api-key': { type: 'string' },
    'fixed-output-bytes': { type: 'string' },
  },
});

const apiKey = values['api-key'];
const fixedOutputBytes = values['fixed-output-bytes'];
const sandbox = createSandbox({
  host: values.host,
  port: wholeNumber('port', values.port),
  delayMs: wholeNumber('delay-ms', values['delay-ms']),
  ...(apiKey !== undefined && { apiKey }),
  ...(fixedOutputBytes !== undefined && {
    fixedOutput: { bytes: wholeNumber('fixed-output-bytes', fixedOutputBytes) },
  }),
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void sandbox.stop());
}
const { url } = await sandbox.start();
process.stdout.write(`${JSON.stringify({ url })}\n`);

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new RangeError(`--${option} takes a whole number.`);
  return Number(text);
}
