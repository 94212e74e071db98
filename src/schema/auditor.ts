import type { Auditor } from '../auth/audit.ts';
import type { Context } from './context.ts';

/** The viewer of a request, for the audit. */
export function auditorOf({ viewer, requestId }: Context): Auditor {
  return { viewer, requestId };
}
