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

/**
 * A log with more bindings, which is made when it is first used: most requests write no line, and
 * to redact the bindings costs microseconds.
 */
export function lazyChild(log: Log, bindings: Readonly<Record<string, unknown>>): Log {
  let child: Log | undefined;
  return new Proxy(log, {
    get(_, name) {
      child ??= log.child(bindings);
      const value: unknown = Reflect.get(child, name);
      return typeof value === 'function' ? value.bind(child) : value;
    },
  });
}
