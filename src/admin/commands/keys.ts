import type { Auditor } from '../../auth/audit.ts';
import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { InvalidInputError, NotFoundError } from '../../errors.ts';
import { encodeGlobalId, idOf } from '../../public-ids/global-id.ts';
import type { ApiKeys } from '../access/api-keys.ts';
import type { Commands } from './commands.ts';

type KeyCommands = Pick<Commands, 'createKey' | 'listKeys' | 'rotateKey' | 'revokeKey'>;

export function createKeyCommands(options: {
  prisma: PrismaClient;
  apiKeys: ApiKeys;
  actor: Auditor;
  /** @default the system's clock */
  now?: () => Date;
}): KeyCommands {
  const { prisma, apiKeys, actor, now = () => new Date() } = options;

  /** @param key Global id or prefix. */
  async function find(key: string): Promise<{ id: string; ownerId: string; prefix: string }> {
    const id = idOf('ApiKey', key);
    const rows = await ofAllOwners(prisma).apiKey.findMany({
      where: id === null ? { prefix: key, revokedAt: null } : { id },
      select: { id: true, ownerId: true, prefix: true },
      take: 2,
    });
    const [row, other] = rows;
    if (row === undefined) throw new NotFoundError('API key', key);
    if (other !== undefined) {
      throw new InvalidInputError(
        'key',
        'INVALID_VALUE',
        `Several API keys have the prefix ${key}: give the id of the one that you mean.`,
      );
    }
    return row;
  }

  return {
    async createKey({ ownerId, name, scope, allowedModels, expiresAt }) {
      const { id, key } = await apiKeys.create(actor, {
        ownerId,
        name,
        scopes: [scope],
        allowedModels,
        expiresAt: expiresAt === null ? null : new Date(expiresAt),
      });
      return { ...(await shown(prisma, id)), key };
    },

    async listKeys({ ownerId }) {
      const rows = await ofAllOwners(prisma).apiKey.findMany({
        where: ownerId === null ? {} : { ownerId },
        orderBy: [{ ownerId: 'asc' }, { id: 'desc' }],
      });
      return rows.map((row) => ({
        id: encodeGlobalId('ApiKey', row.id),
        ownerId: row.ownerId,
        name: row.name,
        prefix: row.prefix,
        scopes: row.scopes,
        allowedModels: row.allowedModels.length === 0 ? null : row.allowedModels,
        expiresAt: row.expiresAt?.toISOString() ?? null,
        lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
        revokedAt: row.revokedAt?.toISOString() ?? null,
      }));
    },

    async rotateKey({ key: named, overlapMs }) {
      const { id } = await find(named);
      const previousValidUntil = overlapMs === null ? null : new Date(now().getTime() + overlapMs);
      const { key } = await apiKeys.rotate(actor, id, { previousValidUntil });
      const row = await shown(prisma, id);
      return { ...row, key, previousValidUntil: previousValidUntil?.toISOString() ?? null };
    },

    async revokeKey({ key }) {
      const { id, ...row } = await find(key);
      await apiKeys.revoke(actor, id);
      return { ...row, id: encodeGlobalId('ApiKey', id) };
    },
  };
}

async function shown(prisma: PrismaClient, id: string) {
  const row = await ofAllOwners(prisma).apiKey.findUniqueOrThrow({
    where: { id },
    select: { ownerId: true, prefix: true },
  });
  return { ...row, id: encodeGlobalId('ApiKey', id) };
}
