import type { Prisma, PrismaClient } from '../../database/database.ts';
import { createLookups } from '../lookups.ts';
import { withIncluded } from '../scopes.ts';
import { type Access, viewerWith } from '../viewer.ts';
import { ofAllOwners } from '../visible.ts';
import { hashApiKey, isApiKey } from './key-format.ts';

/** The keys that requests have sent. */
export interface KnownKeys {
  /**
   * Null for a key that is unknown, revoked or expired. A key with a wrong checksum costs no
   * statement; any other costs one in a few seconds, whether it exists or not.
   */
  find(key: string): Promise<Access | null>;
  /** Reads the key again at its next request. */
  forget(id: string): void;
  clear(): void;
}

const FIELDS = {
  id: true,
  ownerId: true,
  sha256: true,
  previousUntil: true,
  scopes: true,
  allowedModels: true,
  lineage: true,
  expiresAt: true,
  revokedAt: true,
} as const;

type Row = Prisma.ApiKeyGetPayload<{ select: typeof FIELDS }>;

export function createKnownKeys(options: {
  prisma: PrismaClient;
  /** Called with the id of each key that authenticated a request. */
  onUse: (id: string) => void;
  /** @default the system's clock */
  now?: () => Date;
}): KnownKeys {
  const { prisma, onUse, now = () => new Date() } = options;
  const lookups = createLookups<Row | null>({
    load: (sha256) =>
      ofAllOwners(prisma).apiKey.findFirst({
        where: { OR: [{ sha256 }, { previousSha256: sha256 }] },
        select: FIELDS,
      }),
  });

  return {
    async find(key) {
      if (!isApiKey(key)) return null;
      const sha256 = hashApiKey(key);
      const row = await lookups.get(sha256);
      if (row === null || row.revokedAt !== null) return null;
      const expiresAt = row.sha256 === sha256 ? row.expiresAt : row.previousUntil;
      if (expiresAt !== null && expiresAt <= now()) return null;
      onUse(row.id);
      return { viewer: viewerOfKey(row, expiresAt), expiresAt };
    },
    forget: (id) => lookups.forgetIf((row) => row === null || row.id === id),
    clear: lookups.clear,
  };
}

function viewerOfKey({ id, ownerId, scopes, allowedModels, lineage }: Row, expiresAt: Date | null) {
  return viewerWith({
    ownerId,
    scopes: withIncluded(scopes),
    allowedModels: allowedModels.length === 0 ? null : allowedModels,
    credential: { kind: 'API_KEY', id, lineage: [id, ...lineage], expiresAt },
  });
}
