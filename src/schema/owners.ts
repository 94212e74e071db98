import { ALL_OWNERS, MAX_OWNER_NAME_CHARACTERS } from '../admin/access/owners.ts';
import { assertAdmin } from '../auth/visible.ts';
import type { Prisma } from '../database/database.ts';
import type { JsonObject } from '../edits/input/json-object.ts';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import { auditorOf } from './auditor.ts';
import { ADMIN_TAG, builder } from './builder.ts';
import { listOf } from './connections.ts';
import { User } from './user.ts';

/** The list of owners pages by `id`, which clients do not see. */
interface OwnerShape extends Omit<Prisma.OwnerModel, 'serial'> {
  readonly ownerId: string;
}

function toOwner({ id, serial, ...row }: Prisma.OwnerModel): OwnerShape {
  return { ...row, id: serial, ownerId: id };
}

const Owner = builder.objectRef<OwnerShape>('Owner').implement({
  tag: ADMIN_TAG,
  description:
    'A user for whom requests were authenticated, from the first request on, as this service knows them.',
  fields: (t) => ({
    id: t.exposeID('ownerId', {
      description: 'Id as provided by authentication; the same as `User.id`.',
    }),
    name: t.exposeString('name', { nullable: true, description: 'Name given by an admin.' }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'Metadata given by an admin.',
      resolve: ({ metadata }) => metadata as JsonObject,
    }),
    disabledAt: t.expose('disabledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when all requests of the owner are rejected. Null if they are not.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the owner’s first request came.',
    }),
    user: t.field({
      type: User,
      description: 'The owner’s edits and usage.',
      resolve: ({ ownerId }) => ({ id: ownerId }),
    }),
  }),
});

builder.queryField('owners', (t) =>
  t.connection(
    {
      type: Owner,
      tag: ADMIN_TAG,
      description: 'All owners, by their first request. Admin only.',
      resolve: (_, args, { viewer, owners, prisma }) => {
        assertAdmin(viewer, 'owners');
        return listOf(owners.lists, ALL_OWNERS, args, async (serials) => {
          const rows = await prisma.owner.findMany({ where: { serial: { in: serials } } });
          return rows.map(toOwner);
        });
      },
    },
    { name: 'OwnerConnection', tag: ADMIN_TAG, description: 'A page of owners.' },
    { name: 'OwnerEdge', tag: ADMIN_TAG, description: 'An owner in a page.' },
  ),
);

const UpdateOwnerInput = builder.inputType('UpdateOwnerInput', {
  tag: ADMIN_TAG,
  description: 'The owner and the changes.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Id of the owner, as in `Owner.id`.' }),
    name: t.string({
      description: `At most ${MAX_OWNER_NAME_CHARACTERS} characters. Omit to leave it; null removes it.`,
    }),
    disabled: t.boolean({
      description:
        'Whether all requests of the owner are rejected from now on; running edits end as usual. Omit to leave it.',
    }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'Replaces the metadata. Omit to leave it; null removes it.',
    }),
  }),
});

const UpdateOwnerPayload = builder.objectRef<{ id: string }>('UpdateOwnerPayload').implement({
  tag: ADMIN_TAG,
  description: 'Result of a successful `updateOwner`.',
  fields: (t) => ({
    owner: t.field({
      type: Owner,
      description: 'The owner after the change.',
      resolve: async ({ id }, _, { prisma }) =>
        toOwner(await prisma.owner.findUniqueOrThrow({ where: { id } })),
    }),
  }),
});

builder.mutationField('updateOwner', (t) =>
  t.field({
    type: UpdateOwnerPayload,
    tag: ADMIN_TAG,
    description: 'Names, disables or enables an owner. Admin only.',
    errors: {
      types: [InvalidInputError, NotFoundError],
      directResult: true,
      union: { tag: ADMIN_TAG, name: 'UpdateOwnerResult', description: 'The owner, or an error.' },
    },
    args: {
      input: t.arg({
        type: UpdateOwnerInput,
        required: true,
        description: 'The owner and the changes.',
      }),
    },
    resolve: async (_, { input }, context) => {
      assertAdmin(context.viewer, 'updateOwner');
      const { id, ...changes } = input;
      await context.owners.update(
        auditorOf(context),
        id,
        changes as typeof changes & { metadata?: Prisma.InputJsonObject },
      );
      return { id };
    },
  }),
);
