import type { Auditor } from '../../auth/audit.ts';
import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Owners } from '../access/owners.ts';
import type { Commands } from './commands.ts';

type OwnerCommands = Pick<Commands, 'listOwners' | 'setOwnerDisabled'>;

export function createOwnerCommands(options: {
  prisma: PrismaClient;
  owners: Owners;
  actor: Auditor;
}): OwnerCommands {
  const { prisma, owners, actor } = options;
  return {
    async listOwners() {
      const rows = await prisma.owner.findMany({ orderBy: { serial: 'asc' } });
      const counts = await ofAllOwners(prisma).editJob.groupBy({
        by: ['ownerId'],
        where: { deletedAt: null },
        _count: { _all: true },
      });
      const edits = new Map(counts.map(({ ownerId, _count }) => [ownerId, _count._all]));
      const known = new Set(rows.map(({ id }) => id));
      // An owner of edits that are older than the table of owners may have no row yet.
      const older = [...edits.keys()].filter((id) => !known.has(id)).toSorted();
      return [
        ...older.map((id) => ({ id, name: null, disabledAt: null, createdAt: null })),
        ...rows.map(({ id, name, disabledAt, createdAt }) => ({
          id,
          name,
          disabledAt: disabledAt?.toISOString() ?? null,
          createdAt: createdAt.toISOString(),
        })),
      ].map((owner) => ({ ...owner, edits: edits.get(owner.id) ?? 0 }));
    },

    async setOwnerDisabled({ ownerId, disabled }) {
      await owners.update(actor, ownerId, { disabled });
      return {};
    },
  };
}
