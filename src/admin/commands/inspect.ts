import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { CommandResult } from './commands.ts';

/** Reads what `retouch doctor` compares with the settings. */
export function createInspect({
  prisma,
}: {
  prisma: PrismaClient;
}): () => Promise<CommandResult<'inspect'>> {
  return async () => {
    const endpoints = await ofAllOwners(prisma).webhookEndpoint.groupBy({
      by: ['secretKeyId'],
      _count: { _all: true },
    });
    const adminKeys = await ofAllOwners(prisma).apiKey.count({
      where: {
        scopes: { has: 'ADMIN' },
        revokedAt: null,
        OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }],
      },
    });
    return {
      webhookKeys: endpoints.map(({ secretKeyId: id, _count }) => ({ id, webhooks: _count._all })),
      adminKeys,
    };
  };
}
