import { z } from 'zod';

/** Where Prisma's driver adapters put the SQLSTATE. */
const schema = z.object({
  meta: z.object({
    driverAdapterError: z.object({ cause: z.object({ originalCode: z.string() }) }),
  }),
});

/**
 * Whether Postgres refused a value of the client's: a NUL character, a cursor that holds no UUID,
 * a number out of range. They are SQLSTATE class 22, data exception.
 */
export function isBadValue(error: unknown): boolean {
  const parsed = schema.safeParse(error);
  return parsed.success && parsed.data.meta.driverAdapterError.cause.originalCode.startsWith('22');
}
