import type { Pause } from '../edits/pauses.ts';
import type { KnownUpstream } from '../edits-api/upstreams.ts';
import { ForbiddenError, NotFoundError } from '../errors.ts';
import { builder } from './builder.ts';

interface UpstreamState {
  readonly upstream: KnownUpstream;
  readonly pause: Pause | null;
}

const State = builder.enumType('UpstreamState', {
  description:
    'Whether an edits API gets edits. Pauses hold for all processes; circuits are each process’s own.',
  values: {
    READY: { description: 'It does.' },
    PAUSED: {
      description:
        'Not before `pausedUntil`: it asked for that or met a rate limit, its account has no credit, or it rejected the key.',
    },
    CIRCUIT_OPEN: {
      description:
        'It has not answered lately; one edit tries it soon. As seen by the process that you ask: one with `ROLE=api` calls no edits API and never says so.',
    },
  },
});

const UpstreamObject = builder.objectRef<UpstreamState>('Upstream').implement({
  description: 'An edits API that edits are sent to.',
  fields: (t) => ({
    name: t.string({ description: 'Its name.', resolve: ({ upstream }) => upstream.name }),
    models: t.stringList({
      nullable: true,
      description: 'The models it serves; null: any.',
      resolve: ({ upstream }) => upstream.models && [...upstream.models],
    }),
    state: t.field({
      type: State,
      description: 'Whether it gets edits now.',
      resolve: ({ upstream, pause }) => {
        if (pause !== null) return 'PAUSED';
        return upstream.isClosed() ? 'READY' : 'CIRCUIT_OPEN';
      },
    }),
    pausedUntil: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it gets edits again.',
      resolve: ({ pause }) => pause?.until ?? null,
    }),
    reason: t.string({
      nullable: true,
      description: 'Why it is paused: its own words.',
      resolve: ({ pause }) => pause?.message ?? null,
    }),
  }),
});

builder.queryField('upstreams', (t) =>
  t.field({
    type: [UpstreamObject],
    description: 'The edits APIs of this server, in the order in which they are tried.',
    resolve: async (_, __, { upstreams, pauses }) => {
      const paused = await pauses.list();
      return upstreams.map((upstream) => ({
        upstream,
        pause: paused.find(({ name }) => name === upstream.name) ?? null,
      }));
    },
  }),
);

builder.mutationField('resumeUpstream', (t) =>
  t.field({
    type: UpstreamObject,
    description:
      'For admins: ends a pause before its time, such as after its account was topped up.',
    errors: {
      types: [NotFoundError],
      directResult: true,
      union: { name: 'ResumeUpstreamResult', description: 'The edits API, or that there is none.' },
    },
    args: { name: t.arg.string({ required: true, description: 'Its name in `upstreams`.' }) },
    resolve: async (_, { name }, { upstreams, pauses, viewer }) => {
      if (!viewer.isAdmin) throw new ForbiddenError('resumeUpstream is for admins only.');
      const upstream = upstreams.find((one) => one.name === name);
      if (upstream === undefined) throw new NotFoundError('Upstream', name);
      await pauses.resume(name);
      return { upstream, pause: null };
    },
  }),
);
