import { z } from 'zod';

/** Where Prisma's driver adapters store the SQLSTATE. */
const cause = z.object({ originalCode: z.string() });
const schema = z.union([
  z.object({ meta: z.object({ driverAdapterError: z.object({ cause }) }) }),
  z.object({ cause }),
]);

const SQLSTATE = /^(?=.*\d)(?!P[1-9])[0-9A-Z]{5}$/;

/** The SQLSTATE of a Postgres error from any of our libraries, or null. */
export function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const parsed = schema.safeParse(error);
  if (parsed.success) {
    const { data } = parsed;
    return 'meta' in data
      ? data.meta.driverAdapterError.cause.originalCode
      : data.cause.originalCode;
  }
  // node-postgres. Its socket errors (EPIPE) and Prisma's own errors (P1001) have a code, too.
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && SQLSTATE.test(code) ? code : null;
}
