import { ALL_EVENTS } from '../admin/access/audit-events.ts';
import { assertAdmin, ofAllOwners } from '../auth/visible.ts';
import type { Prisma } from '../database/database.ts';
import type { JsonObject } from '../edits/input/json-object.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import { ADMIN_TAG, builder } from './builder.ts';
import { listOf } from './connections.ts';

const AuditEvent = builder.objectRef<Prisma.AuditEventModel>('AuditEvent').implement({
  tag: ADMIN_TAG,
  description: 'Something that an admin did, or that happened to an API key.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Id of the event.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
    action: t.exposeString('action', {
      description: 'The mutation or command, such as `createApiKey`.',
    }),
    actorId: t.exposeString('actorId', { description: 'Owner id of the viewer who did it.' }),
    actorKeyId: t.id({
      nullable: true,
      description: 'Global id of the API key that the viewer used. Null if none.',
      resolve: ({ actorKeyId }) => actorKeyId && encodeGlobalId('ApiKey', actorKeyId),
    }),
    ownerId: t.exposeString('ownerId', {
      nullable: true,
      description: 'The owner whom it concerns. Null if it concerns nobody in particular.',
    }),
    objectType: t.exposeString('objectType', {
      description: 'Type of the object, such as `ApiKey`.',
    }),
    objectId: t.exposeString('objectId', { description: 'Id of the object, as stored.' }),
    before: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'The object before, without secrets. Null if it did not exist.',
      resolve: ({ before }) => before as JsonObject | null,
    }),
    after: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'The object after, without secrets. Null if it no longer exists.',
      resolve: ({ after }) => after as JsonObject | null,
    }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: '`x-request-id` of the response. Null for a command.',
    }),
  }),
});

builder.queryField('auditEvents', (t) =>
  t.connection(
    {
      type: AuditEvent,
      tag: ADMIN_TAG,
      description: 'What admins did and what happened to API keys, newest first. Admin only.',
      args: {
        ownerId: t.arg.id({ description: 'Only what concerns this owner. Default: everything.' }),
      },
      resolve: (_, { ownerId, ...args }, { viewer, auditEvents, prisma }) => {
        assertAdmin(viewer, 'auditEvents');
        const [lists, of] =
          ownerId == null ? [auditEvents.all, ALL_EVENTS] : [auditEvents.ofOwners, ownerId];
        return listOf(lists, of, args, (ids) =>
          ofAllOwners(prisma).auditEvent.findMany({ where: { id: { in: ids } } }),
        );
      },
    },
    { name: 'AuditEventConnection', tag: ADMIN_TAG, description: 'A page of audit events.' },
    { name: 'AuditEventEdge', tag: ADMIN_TAG, description: 'An audit event in a page.' },
  ),
);
