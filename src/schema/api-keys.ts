import {
  type CreatedKey,
  MAX_ALLOWED_MODELS,
  MAX_KEYS,
  MAX_NAME_CHARACTERS,
} from '../admin/access/api-keys.ts';
import type { SCOPES } from '../auth/scopes.ts';
import { assertAdmin, ofAllOwners, visibleOwner, visibleTo } from '../auth/visible.ts';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import { requireId } from '../public-ids/global-id.ts';
import { auditorOf } from './auditor.ts';
import { builder } from './builder.ts';
import { listOf, nodesQuery } from './connections.ts';

const ScopeEnum = builder.enumType('Scope', {
  description: 'What a credential allows. Each scope includes the ones before it.',
  values: {
    READ: { description: 'Queries, subscriptions, images and exports of the owner.' },
    EDIT: { description: 'Mutations of the owner: edits, uploads, deletions and webhooks.' },
    ADMIN: { description: 'Everything of every owner, and the operations for admins only.' },
  } satisfies Record<(typeof SCOPES)[number], object>,
});

const ApiKey = builder.prismaNode('ApiKey', {
  description:
    'An API key of an owner. The key itself is returned once, when it is created or rotated.',
  id: { field: 'id', description: 'Global id.' },
  findUnique: (id, { viewer }) => ({ id, ...visibleTo(viewer) }),
  fields: (t) => ({
    ownerId: t.exposeString('ownerId', {
      description: 'The owner of the edits that are made with the key.',
    }),
    name: t.exposeString('name', { description: 'What the key is for.' }),
    prefix: t.exposeString('prefix', {
      description: 'The first characters of the key, by which a person recognizes it.',
    }),
    scopes: t.expose('scopes', { type: [ScopeEnum], description: 'What the key allows.' }),
    allowedModels: t.stringList({
      nullable: true,
      description:
        'Models that edits made with the key may use, each with its dated snapshots. Null if any.',
      select: { allowedModels: true },
      resolve: ({ allowedModels }) => (allowedModels.length === 0 ? null : allowedModels),
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key stops to be valid. Null if it does not expire.',
    }),
    previousValidUntil: t.expose('previousUntil', {
      type: 'DateTime',
      nullable: true,
      description:
        'Until when the key before the last rotation is valid. Null if the key was never rotated.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key was revoked. Null if it was not.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key was last used; up to a minute late. Null if it never was.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the key was created.',
    }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.connection(
    {
      type: ApiKey,
      description: `The API keys of an owner, newest first, including revoked and expired keys. An owner has at most ${MAX_KEYS.toLocaleString('en')} valid keys.`,
      args: {
        ownerId: t.arg.id({
          description: 'The owner; only an admin may name another one. Default: the viewer.',
        }),
      },
      resolve: (_, { ownerId, ...args }, context, info) => {
        const { viewer, apiKeys } = context;
        const owner = ownerId ?? visibleOwner(viewer);
        if (owner !== visibleOwner(viewer)) assertAdmin(viewer, 'apiKeys of another owner');
        const query = nodesQuery('ApiKey', context, info);
        return listOf(apiKeys.lists, owner, args, async (ids) => {
          const rows = await context.loaders.nodeRows('ApiKey', query, ids);
          return rows.filter((row) => row !== null);
        });
      },
    },
    { name: 'ApiKeyConnection', description: 'A page of API keys.' },
    { name: 'ApiKeyEdge', description: 'An API key in a page.' },
  ),
);

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'The API key to create.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: `What the key is for; 1 to ${MAX_NAME_CHARACTERS} characters.`,
    }),
    scopes: t.field({
      type: [ScopeEnum],
      required: true,
      description: 'What the key allows; never more than the viewer’s own credential.',
    }),
    allowedModels: t.stringList({
      description: `Models that the key may use, at most ${MAX_ALLOWED_MODELS}. Omit to allow any.`,
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'Omit for a key that does not expire.' }),
    ownerId: t.id({
      description: 'Owner of the key; only an admin may name another one. Default: the viewer.',
    }),
  }),
});

const RotateApiKeyInput = builder.inputType('RotateApiKeyInput', {
  description: 'The API key that is replaced.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the ApiKey.' }),
    previousValidUntil: t.field({
      type: 'DateTime',
      description:
        'Until when the old key stays valid, at most 30 days from now. Omit to end it at once.',
    }),
  }),
});

const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'The API key to revoke.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global id of the ApiKey.' }) }),
});

const ONCE =
  'The key (`rt_live_…`). It is returned only once and is not stored; store it like a password.';

function keyPayload(name: string, description: string) {
  return builder.objectRef<CreatedKey>(name).implement({
    description,
    fields: (t) => ({
      apiKey: t.prismaField({
        type: 'ApiKey',
        description: 'The key without its secret.',
        // The viewer has created or rotated it.
        resolve: (query, { id }, _, { prisma }) =>
          ofAllOwners(prisma).apiKey.findUniqueOrThrow({ ...query, where: { id } }),
      }),
      key: t.exposeString('key', { description: ONCE }),
    }),
  });
}

const CreateApiKeyPayload = keyPayload('CreateApiKeyPayload', 'The created API key.');
const RotateApiKeyPayload = keyPayload(
  'RotateApiKeyPayload',
  'Result of a successful `rotateApiKey`.',
);

const RevokeApiKeyPayload = builder.objectRef<{ id: string }>('RevokeApiKeyPayload').implement({
  description: 'Result of a successful `revokeApiKey`.',
  fields: (t) => ({
    apiKey: t.prismaField({
      type: 'ApiKey',
      description: 'The revoked key.',
      resolve: (query, { id }, _, { prisma, viewer }) =>
        prisma.apiKey.findUniqueOrThrow({ ...query, where: { id, ...visibleTo(viewer) } }),
    }),
  }),
});

builder.mutationField('createApiKey', (t) =>
  t.field({
    type: CreateApiKeyPayload,
    description:
      'Creates an API key for the viewer, or for any owner as an admin. A key that a key creates is never stronger: it has no further scopes or models, ends with it, and counts towards its limits.',
    errors: {
      types: [InvalidInputError],
      directResult: true,
      union: { name: 'CreateApiKeyResult', description: 'The new key, or an error.' },
    },
    args: {
      input: t.arg({
        type: CreateApiKeyInput,
        required: true,
        description: 'The API key to create.',
      }),
    },
    resolve: (_, { input }, context) => {
      const { ownerId, name, scopes, allowedModels = null, expiresAt = null } = input;
      return context.apiKeys.create(auditorOf(context), {
        ownerId: ownerId ?? visibleOwner(context.viewer),
        name,
        scopes,
        allowedModels,
        expiresAt,
      });
    },
  }),
);

builder.mutationField('rotateApiKey', (t) =>
  t.field({
    type: RotateApiKeyPayload,
    description:
      'Replaces an API key by a new one with the same id, rights and limits. The old one stays valid until `previousValidUntil`, so that clients can change over.',
    errors: {
      types: [InvalidInputError, NotFoundError],
      directResult: true,
      union: { name: 'RotateApiKeyResult', description: 'The new key, or an error.' },
    },
    args: {
      input: t.arg({
        type: RotateApiKeyInput,
        required: true,
        description: 'The API key that is replaced.',
      }),
    },
    resolve: (_, { input }, context) =>
      context.apiKeys.rotate(auditorOf(context), requireId('ApiKey', input.id), {
        previousValidUntil: input.previousValidUntil ?? null,
      }),
  }),
);

builder.mutationField('revokeApiKey', (t) =>
  t.field({
    type: RevokeApiKeyPayload,
    description:
      'Revokes an API key and every key that it created. Their open streams and sockets end within 5 seconds.',
    errors: {
      types: [NotFoundError],
      directResult: true,
      union: { name: 'RevokeApiKeyResult', description: 'The revoked key, or an error.' },
    },
    args: {
      input: t.arg({
        type: RevokeApiKeyInput,
        required: true,
        description: 'The API key to revoke.',
      }),
    },
    resolve: async (_, { input }, context) => {
      const id = requireId('ApiKey', input.id);
      await context.apiKeys.revoke(auditorOf(context), id);
      return { id };
    },
  }),
);
