import { ofAllOwners } from '../../auth/visible.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { byId, createLists, type ListSource, type Lists } from '../../paging/lists.ts';

/** The id of the one list that `AuditEvents.all` has. */
export const ALL_EVENTS = 'all';

/** What was recorded, newest first, for admins. */
export interface AuditEvents {
  readonly all: Lists;
  /** The events that concern each owner. */
  readonly ofOwners: Lists;
}

export function createAuditEvents({ prisma }: { prisma: PrismaClient }): AuditEvents {
  const source = (rows: ListSource['rows']): ListSource => ({
    ...byId(Prisma.sql`event.id`, 'DESC'),
    of: 'text',
    hasDuplicates: false,
    rows,
  });
  return {
    all: createLists({
      prisma,
      source: source(
        () => Prisma.sql`"AuditEvent" AS event WHERE ${ofAllOwners(Prisma.sql`TRUE`)}`,
      ),
    }),
    ofOwners: createLists({
      prisma,
      source: source(
        (of) =>
          Prisma.sql`"AuditEvent" AS event WHERE ${ofAllOwners(Prisma.sql`event."ownerId" = ${of}`)}`,
      ),
    }),
  };
}
