import { assertAdmin } from '../auth/visible.ts';
import { shownMessage } from '../edits/outcome-record.ts';
import type { Pause } from '../edits/run/upstream-pauses.ts';
import type { KnownUpstream } from '../edits-api/upstreams.ts';
import { NotFoundError } from '../errors.ts';
import { auditorOf } from './auditor.ts';
import { ADMIN_TAG, builder } from './builder.ts';

interface UpstreamState {
  readonly upstream: KnownUpstream;
  readonly pause: Pause | null;
}

const State = builder.enumType('UpstreamState', {
  description:
    'State of an upstream. Pauses apply to all processes; each process has its own circuit breaker.',
  values: {
    READY: { description: 'The upstream receives edits.' },
    PAUSED: {
      description:
        'The upstream receives no edits until `pausedUntil`, because it sent `Retry-After`, a rate limit was hit, its account has no credit, or it rejected the key.',
    },
    CIRCUIT_OPEN: {
      description:
        'Recent requests failed; one edit will be sent soon to test the upstream. This is the view of the process that handles the query: a process with `ROLE=api` calls no upstream and never reports it.',
    },
  },
});

const UpstreamObject = builder.objectRef<UpstreamState>('Upstream').implement({
  description: 'A configured edits API that edits are sent to.',
  fields: (t) => ({
    name: t.string({
      description: 'Name of the upstream.',
      resolve: ({ upstream }) => upstream.name,
    }),
    models: t.stringList({
      nullable: true,
      description: 'Models that the upstream serves. Null for any model.',
      resolve: ({ upstream }) => upstream.models && [...upstream.models],
    }),
    state: t.field({
      type: State,
      description: 'Current state.',
      resolve: ({ upstream, pause }) => {
        if (pause !== null) return 'PAUSED';
        return upstream.isClosed() ? 'READY' : 'CIRCUIT_OPEN';
      },
    }),
    pausedUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the pause ends. Null if the upstream is not paused.',
      resolve: ({ pause }) => pause?.until ?? null,
    }),
    reason: t.string({
      nullable: true,
      description:
        'Reason for the pause; the upstream’s own message only for admins. Null if the upstream is not paused.',
      resolve: ({ pause }, _, { viewer }) =>
        pause && shownMessage(pause.code, pause.message, viewer),
    }),
  }),
});

builder.queryField('upstreams', (t) =>
  t.field({
    type: [UpstreamObject],
    description: 'The upstreams of this server, in the order in which they are tried.',
    resolve: async (_, __, { upstreams, pauses }) => {
      const paused = await pauses.list();
      return upstreams.map((upstream) => ({
        upstream,
        pause: paused.find(({ name }) => name === upstream.name) ?? null,
      }));
    },
  }),
);

const ResumeUpstreamInput = builder.inputType('ResumeUpstreamInput', {
  tag: ADMIN_TAG,
  description: 'The upstream to resume.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Name of the upstream, as in `upstreams`.' }),
  }),
});

const ResumeUpstreamPayload = builder
  .objectRef<{ upstream: UpstreamState }>('ResumeUpstreamPayload')
  .implement({
    tag: ADMIN_TAG,
    description: 'Result of a successful `resumeUpstream`.',
    fields: (t) => ({
      upstream: t.expose('upstream', { type: UpstreamObject, description: 'The upstream.' }),
    }),
  });

builder.mutationField('resumeUpstream', (t) =>
  t.field({
    type: ResumeUpstreamPayload,
    tag: ADMIN_TAG,
    description:
      'Ends the pause of an upstream early, for example after its account was topped up. Admin only.',
    errors: {
      types: [NotFoundError],
      directResult: true,
      union: {
        tag: ADMIN_TAG,
        name: 'ResumeUpstreamResult',
        description: 'The upstream, or an error.',
      },
    },
    args: {
      input: t.arg({
        type: ResumeUpstreamInput,
        required: true,
        description: 'The upstream to resume.',
      }),
    },
    resolve: async (_, { input: { name } }, context) => {
      const { upstreams, pauses, viewer, audit } = context;
      assertAdmin(viewer, 'resumeUpstream');
      const upstream = upstreams.find((one) => one.name === name);
      if (upstream === undefined) throw new NotFoundError('Upstream', name);
      await pauses.resume(name, (tx) =>
        audit.record(tx, auditorOf(context), {
          action: 'resumeUpstream',
          object: { type: 'Upstream', id: name, ownerId: null },
        }),
      );
      return { upstream: { upstream, pause: null } };
    },
  }),
);
