import { v7 as uuid } from 'uuid';
import { displayedPart, generateApiKey, hashApiKey } from '../../auth/api-keys/key-format.ts';
import type { Audit, Auditor } from '../../auth/audit.ts';
import { isOwnerId, MAX_OWNER_CHARACTERS } from '../../auth/owner-id.ts';
import { type Scope, withIncluded } from '../../auth/scopes.ts';
import type { Viewer } from '../../auth/viewer.ts';
import { ofAllOwners, visibleTo } from '../../auth/visible.ts';
import { Prisma, type PrismaClient, type Transaction } from '../../database/database.ts';
import { checkAll, ForbiddenError, InvalidInputError, NotFoundError } from '../../errors.ts';
import { byId, createLists, type ListSource, type Lists } from '../../paging/lists.ts';
import type { Events } from '../../queue/events.ts';

export const MAX_NAME_CHARACTERS = 100;
export const MAX_ALLOWED_MODELS = 100;
/** Maximum overlap of a rotation. */
const MAX_OVERLAP_MS = 30 * 24 * 60 * 60 * 1_000;
/** Keys of an owner that are neither revoked nor expired. */
export const MAX_KEYS = 1_000;

export interface ApiKeyInput {
  /** The owner of the edits that are made with it. */
  readonly ownerId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Null: any. */
  readonly allowedModels: readonly string[] | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
}

/** A key, which is returned only once. */
export interface CreatedKey {
  readonly id: string;
  readonly key: string;
}

/** Keys of all owners. None of these makes a viewer stronger than they are. */
export interface ApiKeys {
  /** The keys of each owner, newest first, also those that are revoked or expired. */
  readonly lists: Lists;
  /** @throws InvalidInputError; ForbiddenError for a key that the viewer may not create. */
  create(actor: Auditor, input: ApiKeyInput): Promise<CreatedKey>;
  /**
   * Replaces the key; the old one stays valid until `previousValidUntil`, at most 30 days.
   * @throws InvalidInputError; NotFoundError; ForbiddenError for a stronger key than the viewer's.
   */
  rotate(
    actor: Auditor,
    id: string,
    options: { previousValidUntil: Date | null },
  ): Promise<CreatedKey>;
  /**
   * Ends the key at once, and every key that it created, with their open streams.
   * @throws NotFoundError; ForbiddenError for a stronger key than the viewer's.
   */
  revoke(actor: Auditor, id: string): Promise<void>;
}

const KEYS_OF_OWNER: ListSource = {
  ...byId(Prisma.sql`key.id`, 'DESC'),
  of: 'text',
  hasDuplicates: false,
  // Of the owner that is asked for.
  rows: (of) => Prisma.sql`"ApiKey" AS key WHERE ${ofAllOwners(Prisma.sql`key."ownerId" = ${of}`)}`,
};

export function createApiKeys(options: {
  prisma: PrismaClient;
  events: Pick<Events, 'publish'>;
  audit: Audit;
  /** @default the system's clock */
  now?: () => Date;
}): ApiKeys {
  const { prisma, events, audit, now = () => new Date() } = options;

  /** Locks the key, and checks that the viewer may change it. */
  async function find(tx: Transaction, viewer: Viewer, id: string) {
    await ofAllOwners(tx).$queryRaw`SELECT FROM "ApiKey" WHERE id = ${id}::uuid FOR UPDATE`;
    const row = await tx.apiKey.findFirst({ where: { id, ...visibleTo(viewer) } });
    if (row === null) throw new NotFoundError('ApiKey', id);
    const allowedModels = row.allowedModels.length === 0 ? null : row.allowedModels;
    assertNotStronger(viewer, { ...row, allowedModels });
    return row;
  }

  return {
    lists: createLists({ prisma, source: KEYS_OF_OWNER }),

    async create(actor, input) {
      const { viewer } = actor;
      const at = now();
      const { credential } = viewer;
      const creator = credential.kind === 'API_KEY' && !viewer.isAdmin ? credential : null;
      const { scopes } = checkAll({
        ownerId: () => checkOwner(input.ownerId),
        name: () => checkName(input.name),
        scopes: () => checkScopes(input.scopes),
        allowedModels: () => checkModels(input.allowedModels),
        expiresAt: () => checkExpiry(input.expiresAt, at),
      });
      if (!viewer.isAdmin && input.ownerId !== viewer.ownerId) {
        throw new ForbiddenError('Only an admin may create API keys for another owner.');
      }
      assertNotStronger(viewer, { ...input, scopes });
      const key = generateApiKey();
      const data = {
        id: uuid(),
        ownerId: input.ownerId,
        name: input.name.trim(),
        prefix: displayedPart(key),
        sha256: hashApiKey(key),
        scopes: [...scopes],
        allowedModels: [...(input.allowedModels ?? [])],
        // A key ends with the key that created it.
        expiresAt: earliest(input.expiresAt, creator?.expiresAt ?? null),
        lineage: [...(creator?.lineage ?? [])],
      };
      await prisma.$transaction(async (tx) => {
        await checkCount(tx, input.ownerId, at);
        await tx.owner.createMany({ data: { id: input.ownerId }, skipDuplicates: true });
        await tx.apiKey.createMany({ data });
        await audit.record(tx, actor, {
          action: 'createApiKey',
          object: { type: 'ApiKey', id: data.id, ownerId: data.ownerId },
          after: shown(data),
        });
      });
      return { id: data.id, key };
    },

    rotate: (actor, id, { previousValidUntil }) =>
      prisma.$transaction(async (tx) => {
        const at = now();
        const row = await find(tx, actor.viewer, id);
        if (row.revokedAt !== null || (row.expiresAt !== null && row.expiresAt <= at)) {
          throw new InvalidInputError(
            'id',
            'INVALID_VALUE',
            'The API key is revoked or expired. Create a new one.',
          );
        }
        checkOverlap(previousValidUntil, at);
        const key = generateApiKey();
        const until = previousValidUntil ?? at;
        const data = {
          prefix: displayedPart(key),
          sha256: hashApiKey(key),
          previousSha256: row.sha256,
          previousUntil: earliest(row.expiresAt, until),
        };
        await ofAllOwners(tx).apiKey.updateMany({ where: { id }, data });
        await audit.record(tx, actor, {
          action: 'rotateApiKey',
          object: { type: 'ApiKey', id, ownerId: row.ownerId },
          before: shown(row),
          after: shown({ ...row, ...data }),
        });
        await events.publish(tx, { kind: 'access', keyId: id });
        return { id, key };
      }),

    revoke: (actor, id) =>
      prisma.$transaction(async (tx) => {
        const row = await find(tx, actor.viewer, id);
        const revokedAt = now();
        const revoked = await ofAllOwners(tx).apiKey.updateManyAndReturn({
          where: { OR: [{ id }, { lineage: { has: id } }], revokedAt: null },
          data: { revokedAt },
          select: { id: true },
        });
        if (revoked.length === 0) return;
        await audit.record(tx, actor, {
          action: 'revokeApiKey',
          object: { type: 'ApiKey', id, ownerId: row.ownerId },
          before: shown(row),
          after: { ...shown(row), revokedAt: revokedAt.toISOString(), revokedKeys: revoked.length },
        });
        await events.publish(
          tx,
          ...revoked.map((one) => ({ kind: 'access' as const, keyId: one.id })),
        );
      }),
  };
}

async function checkCount(tx: Transaction, ownerId: string, at: Date): Promise<void> {
  const count = await ofAllOwners(tx).apiKey.count({
    where: { ownerId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: at } }] },
  });
  if (count < MAX_KEYS) return;
  throw new InvalidInputError(
    'ownerId',
    'TOO_MANY',
    `An owner may have at most ${MAX_KEYS} valid API keys. Revoke one first.`,
  );
}

/**
 * Whether a key allows more than the viewer's own credential: then the viewer may neither create
 * nor rotate it, which would reveal it, nor revoke it.
 * @throws ForbiddenError
 */
function assertNotStronger(
  viewer: Viewer,
  key: Pick<ApiKeyInput, 'scopes' | 'allowedModels'>,
): void {
  if (viewer.isAdmin) return;
  const own = new Set<Scope>(withIncluded([viewer.canEdit ? 'EDIT' : 'READ']));
  const stronger = key.scopes.find((scope) => !own.has(scope));
  if (stronger !== undefined) {
    throw new ForbiddenError(
      `Your own credential does not have the scope ${stronger}, so it cannot manage a key that has it.`,
    );
  }
  const { allowedModels } = viewer;
  if (allowedModels === null) return;
  if (key.allowedModels?.every((model) => allowedModels.includes(model))) return;
  throw new ForbiddenError(
    'Your own credential is limited to some models, so it cannot manage a key for others.',
  );
}

function checkOwner(ownerId: string): void {
  if (isOwnerId(ownerId)) return;
  throw new InvalidInputError(
    'ownerId',
    'INVALID_VALUE',
    `ownerId must have 1 to ${MAX_OWNER_CHARACTERS} characters, none of them a control character.`,
  );
}

function checkName(name: string): void {
  const length = [...name.trim()].length;
  if (length === 0) throw new InvalidInputError('name', 'REQUIRED', 'name must not be empty.');
  if (length > MAX_NAME_CHARACTERS)
    throw new InvalidInputError(
      'name',
      'TOO_LARGE',
      `name must have at most ${MAX_NAME_CHARACTERS} characters.`,
    );
}

function checkScopes(scopes: readonly Scope[]): readonly Scope[] {
  if (scopes.length > 0) return withIncluded(scopes);
  throw new InvalidInputError('scopes', 'REQUIRED', 'scopes must contain READ, EDIT or ADMIN.');
}

function checkModels(models: readonly string[] | null): void {
  if (models === null) return;
  if (models.length === 0)
    throw new InvalidInputError(
      'allowedModels',
      'REQUIRED',
      'allowedModels must name a model; omit it to allow any.',
    );
  if (models.length > MAX_ALLOWED_MODELS)
    throw new InvalidInputError(
      'allowedModels',
      'TOO_MANY',
      `allowedModels must have at most ${MAX_ALLOWED_MODELS} items.`,
    );
}

function checkExpiry(expiresAt: Date | null, at: Date): void {
  if (expiresAt === null || expiresAt > at) return;
  throw new InvalidInputError('expiresAt', 'INVALID_VALUE', 'expiresAt must be in the future.');
}

function checkOverlap(until: Date | null, at: Date): void {
  if (until === null || until.getTime() <= at.getTime() + MAX_OVERLAP_MS) return;
  throw new InvalidInputError(
    'previousValidUntil',
    'TOO_LARGE',
    'previousValidUntil must be at most 30 days away.',
  );
}

/** Null: never. */
function earliest(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}

/** What the audit shows of a key: never its hash. */
function shown(
  row: Pick<Prisma.ApiKeyModel, 'name' | 'prefix' | 'scopes' | 'allowedModels' | 'expiresAt'>,
) {
  const { name, prefix, scopes, allowedModels, expiresAt } = row;
  return { name, prefix, scopes, allowedModels, expiresAt: expiresAt?.toISOString() ?? null };
}
