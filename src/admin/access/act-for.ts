import type { Audit, Auditor } from '../../auth/audit.ts';
import type { Viewer } from '../../auth/viewer.ts';
import { assertAdmin } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { NotFoundError } from '../../errors.ts';

/**
 * The viewer who does something for an owner on an admin's request: with the owner's rows and
 * limits, the limits and models of the admin's own credential, and no rights of an admin. Recorded
 * in the audit before anything is done.
 * @param action The mutation's name.
 * @throws ForbiddenError unless the viewer is an admin or the owner; NotFoundError
 */
export type ActFor = (actor: Auditor, ownerId: string, action: string) => Promise<Viewer>;

export function createActFor(options: { prisma: PrismaClient; audit: Audit }): ActFor {
  const { prisma, audit } = options;
  return async (actor, ownerId, action) => {
    const { viewer } = actor;
    if (ownerId === viewer.ownerId) return viewer;
    assertAdmin(viewer, 'actingFor');
    const owner = await prisma.owner.findUnique({ where: { id: ownerId } });
    if (owner === null) throw new NotFoundError('Owner', ownerId);
    await audit.record(prisma, actor, {
      action,
      object: { type: 'Owner', id: ownerId, ownerId },
    });
    return { ...viewer, ownerId, reads: ownerId, isAdmin: false };
  };
}
