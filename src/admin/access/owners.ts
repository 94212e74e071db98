import type { Audit, Auditor } from '../../auth/audit.ts';
import { Prisma, type PrismaClient } from '../../database/database.ts';
import { checkAll, InvalidInputError, NotFoundError } from '../../errors.ts';
import { byId, createLists, type ListSource, type Lists } from '../../paging/lists.ts';
import type { Events } from '../../queue/events.ts';

export const MAX_OWNER_NAME_CHARACTERS = 255;

/** What an admin sees and changes of an owner. */
export interface OwnerChanges {
  /** Null removes the name; undefined leaves it. */
  readonly name?: string | null | undefined;
  /** Whether all requests of the owner are rejected; running edits end as usual. */
  readonly disabled?: boolean | null | undefined;
  readonly metadata?: Prisma.InputJsonObject | null | undefined;
}

export interface Owners {
  /** All owners, by their first request; the list of `ALL_OWNERS`. */
  readonly lists: Lists;
  /** @throws NotFoundError; InvalidInputError */
  update(actor: Auditor, id: string, changes: OwnerChanges): Promise<void>;
}

/** The id of the one list that `Owners.lists` has. */
export const ALL_OWNERS = 'all';

const SOURCE: ListSource = {
  ...byId(Prisma.sql`owner.serial`, 'ASC'),
  of: 'text',
  hasDuplicates: false,
  rows: () => Prisma.sql`"Owner" AS owner WHERE TRUE`,
};

export function createOwners(options: {
  prisma: PrismaClient;
  events: Pick<Events, 'publish'>;
  audit: Audit;
  /** @default the system's clock */
  now?: () => Date;
}): Owners {
  const { prisma, events, audit, now = () => new Date() } = options;
  return {
    lists: createLists({ prisma, source: SOURCE }),

    async update(actor, id, { name, disabled, metadata }) {
      checkAll({ name: () => checkName(name) });
      await prisma.$transaction(async (tx) => {
        const before = await tx.owner.findUnique({ where: { id } });
        if (before === null) throw new NotFoundError('Owner', id);
        const isDisabled = before.disabledAt !== null;
        const changesState = disabled != null && disabled !== isDisabled;
        const after = await tx.owner.update({
          where: { id },
          data: {
            ...(name !== undefined && { name }),
            ...(metadata !== undefined && { metadata: metadata ?? {} }),
            ...(changesState && { disabledAt: disabled ? now() : null }),
          },
        });
        await audit.record(tx, actor, {
          action: 'updateOwner',
          object: { type: 'Owner', id, ownerId: id },
          before: shown(before),
          after: shown(after),
        });
        if (changesState) await events.publish(tx, { kind: 'access', ownerId: id });
      });
    },
  };
}

function checkName(name: string | null | undefined): void {
  if (name == null || name.length <= MAX_OWNER_NAME_CHARACTERS) return;
  throw new InvalidInputError(
    'name',
    'TOO_LARGE',
    `name must have at most ${MAX_OWNER_NAME_CHARACTERS} characters.`,
  );
}

function shown({ name, metadata, disabledAt }: Prisma.OwnerModel): Prisma.InputJsonObject {
  return { name, metadata: metadata ?? {}, disabledAt: disabledAt?.toISOString() ?? null };
}
