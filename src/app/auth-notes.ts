import { LOCAL_VIEWER } from '../auth/viewer.ts';
import { ofAllOwners, ownedBy } from '../auth/visible.ts';
import { type AuthSettings, isAuthOn } from '../config/auth-settings.ts';
import type { PrismaClient } from '../database/database.ts';
import type { Log } from '../log.ts';

/** The command that creates the first API key. */
export const CREATE_ADMIN_KEY = 'npm run retouch -- keys create --owner <owner> --scope admin';

/** Logs what an operator still has to do after authentication was turned on. */
export async function logAuthNotes(options: {
  auth: AuthSettings;
  prisma: PrismaClient;
  log: Log;
}): Promise<void> {
  const { auth, prisma, log } = options;
  if (!isAuthOn(auth)) return;
  const { ownerId: owner } = LOCAL_VIEWER;
  const edits = await prisma.editJob.count({ where: { ...ownedBy(owner), deletedAt: null } });
  if (edits > 0) {
    log.warn(
      { owner, edits },
      `the history of ${owner} (${edits} edits) is visible to admins only; to assign it: npm run retouch -- owners assign --from ${owner} --to <owner>`,
    );
  }
  if (
    auth.apiKeys &&
    (await ofAllOwners(prisma).apiKey.findFirst({ select: { id: true } })) === null
  ) {
    log.warn(
      `AUTH_API_KEYS is on and there is no API key yet; to create the first one: ${CREATE_ADMIN_KEY}`,
    );
  }
}
