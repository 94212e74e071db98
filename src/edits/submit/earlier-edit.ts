import type { PrismaClient } from '../../database/database.ts';
import { findClaimed, type IdempotencyClaim } from './idempotency.ts';
import type { RepeatableRequest, Responses } from './responses.ts';

/** By which a repeat of a request finds the edit that was submitted first. */
export interface RepeatKeys {
  readonly idempotency: IdempotencyClaim | null;
  readonly request: RepeatableRequest | null;
}

/**
 * The edit that an equal request submitted before; null if there is none.
 * @throws IdempotencyConflictError
 */
export async function findEarlier(
  { prisma, responses }: { prisma: PrismaClient; responses: Responses },
  { idempotency, request }: RepeatKeys,
): Promise<{ id: string } | null> {
  if (idempotency !== null) return findClaimed(prisma, idempotency);
  return request === null ? null : responses.attach(request);
}
