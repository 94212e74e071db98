import type { PrismaClient } from '../database/database.ts';
import { ForbiddenError, UnauthenticatedError } from '../errors.ts';
import { createLookups } from './lookups.ts';
import { isOwnerId, MAX_OWNER_CHARACTERS } from './owner-id.ts';

/** The owners whom requests were authenticated as. */
export interface KnownOwners {
  /**
   * Inserts the owner's row at its first request.
   * @throws ForbiddenError if an admin has disabled the owner.
   */
  admit(ownerId: string): Promise<void>;
  /** Reads the owner again at its next request. */
  forget(ownerId: string): void;
  clear(): void;
}

/** At most one statement for each owner in the lifetime of a lookup, whatever its requests. */
export function createKnownOwners({ prisma }: { prisma: PrismaClient }): KnownOwners {
  const lookups = createLookups<'ENABLED' | 'DISABLED'>({
    async load(id) {
      // The row is there at nearly every lookup: no write for those.
      const found = await prisma.owner.findUnique({ where: { id }, select: { disabledAt: true } });
      if (found === null) await prisma.owner.createMany({ data: { id }, skipDuplicates: true });
      return found === null || found.disabledAt === null ? 'ENABLED' : 'DISABLED';
    },
  });
  return {
    async admit(ownerId) {
      if (!isOwnerId(ownerId)) throw new UnauthenticatedError(INVALID_OWNER);
      if ((await lookups.get(ownerId)) === 'DISABLED') throw new ForbiddenError(DISABLED);
    },
    forget: lookups.forget,
    clear: lookups.clear,
  };
}

const INVALID_OWNER = `The id of the authenticated user must have 1 to ${MAX_OWNER_CHARACTERS} characters, none of them a control character.`;

const DISABLED = 'This owner is disabled. Ask an admin to enable it.';
