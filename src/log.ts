import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

/** Paths that may contain a secret if an object is logged by mistake. */
const REDACTED = [
  'authorization',
  'cookie',
  'key',
  'apiKey',
  'password',
  'secret',
  'secretAccessKey',
  'sessionToken',
  'token',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** JSON lines on standard output. Secrets are redacted by name; prompts and images are never logged. */
export function createLog(options: { level: string; destination?: DestinationStream }): Log {
  return pino(
    {
      level: options.level,
      base: null,
      redact: { paths: REDACTED, censor: '[redacted]' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? pino.destination({ fd: 1, sync: false }),
  );
}
