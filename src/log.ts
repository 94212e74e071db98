import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

/** Paths that may hold a secret in what is logged by mistake. */
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

/** JSON lines on standard output. Secrets are redacted by name; prompts and images never logged. */
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
