import { LOCAL_VIEWER } from '../auth/viewer.ts';
import { ownedBy } from '../auth/visible.ts';
import { type AuthSettings, isAuthOn } from '../config/auth-settings.ts';
import type { PrismaClient } from '../database/database.ts';

/**
 * Makes the local user an owner if authentication was turned on after edits were made: no request
 * will be authenticated as the local user, and admins find and act for owners that have a row.
 */
export async function keepLocalOwner(options: {
  auth: AuthSettings;
  prisma: PrismaClient;
}): Promise<void> {
  const { auth, prisma } = options;
  if (!isAuthOn(auth)) return;
  const { ownerId: id } = LOCAL_VIEWER;
  const first = await prisma.editJob.findFirst({
    where: { ...ownedBy(id), deletedAt: null },
    orderBy: { id: 'asc' },
    select: { createdAt: true },
  });
  if (first === null) return;
  const data = { id, createdAt: first.createdAt };
  await prisma.owner.createMany({ data, skipDuplicates: true });
}
