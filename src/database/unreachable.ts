import { z } from 'zod';

/** Prisma: not reached, timed out, closed by the server, no connection free, no transaction begun. */
const PRISMA_CODES = ['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028'];

/** As node-postgres words what has no code. */
const MESSAGES = [
  'Query read timeout',
  'timeout exceeded when trying to connect',
  'Connection terminated',
  'Client has encountered a connection error and is not queryable',
];

/** SQLSTATE: connection exception, operator intervention, too many connections. */
const SQLSTATES = /^(08...|57P0[1-4]|53300)$/;

const adapterErrorSchema = z.object({
  cause: z.object({ kind: z.string().optional(), originalCode: z.string().optional() }),
});

/** As Prisma wraps it when a statement fails, or as it is when a COMMIT does. */
const driverSchema = z.union([
  z
    .object({ meta: z.object({ driverAdapterError: adapterErrorSchema }) })
    .transform(({ meta }) => meta.driverAdapterError),
  z.object({ name: z.literal('DriverAdapterError') }).and(adapterErrorSchema),
]);

/**
 * Whether the database could not be reached, or went away, so that the same may work later. What was
 * being committed just then may stand all the same.
 */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (MESSAGES.some((message) => error.message.startsWith(message))) return true;
  if ('code' in error && PRISMA_CODES.includes(String(error.code))) return true;
  const parsed = driverSchema.safeParse(error);
  if (!parsed.success) return false;
  const { kind, originalCode } = parsed.data.cause;
  const isClosed = kind === 'DatabaseNotReachable' || kind === 'ConnectionClosed';
  return isClosed || SQLSTATES.test(originalCode ?? '');
}
