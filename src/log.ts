import { type DestinationStream, type Logger, pino } from 'pino';
import { RetouchError } from './errors.ts';

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

/**
 * Lines of JSON. Secrets are redacted by name; prompts and images are never logged.
 *
 * @param options.destination What shows them otherwise. @default standard output
 */
export function createLog(options: { level: string; destination?: DestinationStream }): Log {
  return pino(
    {
      level: options.level,
      base: null,
      redact: { paths: REDACTED, censor: '[redacted]' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    options.destination ?? pino.destination({ fd: 1, sync: false }),
  );
}

/** A deliberate error has no stack: where it was thrown says less than its code and message. */
function describeError(error: unknown): unknown {
  if (!(error instanceof RetouchError)) {
    return error instanceof Error ? pino.stdSerializers.err(error) : error;
  }
  const { name: type, code, message, cause, ...facts } = error;
  const known = Object.entries(facts).filter(([, value]) => value !== null);
  const because = cause === undefined ? {} : { cause: describeCause(cause) };
  return { type, code, message, ...Object.fromEntries(known), ...because };
}

/** A failure of the system has a code; any other cause may be a defect, which needs its stack. */
function describeCause(cause: unknown): unknown {
  if (!(cause instanceof Error) || cause instanceof RetouchError) return describeError(cause);
  const { name: type, message } = cause;
  return 'code' in cause ? { type, code: cause.code, message } : describeError(cause);
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
