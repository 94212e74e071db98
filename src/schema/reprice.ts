import { ForbiddenError, InvalidInputError, NotFoundError } from '../errors.ts';
import type { RepriceCounts } from '../usage/reprice.ts';
import { builder } from './builder.ts';
import { encodeGlobalId, requireId } from './global-id.ts';

const DEFAULT_LIMIT = 10_000;
const MAX_LIMIT = 100_000;

const RepriceJobsInput = builder.inputType('RepriceJobsInput', {
  description: 'Which edits to price anew; all that is given must hold.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'Created at or after.' }),
    to: t.field({ type: 'DateTime', description: 'Created before.' }),
    model: t.string({ description: 'Of this model, by its exact name.' }),
    after: t.id({ description: '`endCursor` of the call before, to go on from there.' }),
    limit: t.int({
      description: `Edits to look at in this call: 1 to ${MAX_LIMIT.toLocaleString('en')}, default ${DEFAULT_LIMIT.toLocaleString('en')}.`,
    }),
  }),
});

const RepriceJobsPayload = builder.objectRef<RepriceCounts>('RepriceJobsPayload').implement({
  description: 'What became of the edits that were looked at.',
  fields: (t) => ({
    examined: t.exposeInt('examined', {
      description: 'Edits that have succeeded and whose tokens are known.',
    }),
    repriced: t.exposeInt('repriced', {
      description: 'Got a new charge; the old one is kept, as superseded.',
    }),
    unchanged: t.exposeInt('unchanged', {
      description: 'Cost the same, by the same version of the prices.',
    }),
    unknown: t.exposeInt('unknown', {
      description: 'Not priced by today’s price table: what they were charged before stays.',
    }),
    endCursor: t.id({
      nullable: true,
      description: 'Give it as `after` to go on; null: all are done.',
      resolve: ({ lastId }) => lastId && encodeGlobalId('EditJob', lastId),
    }),
  }),
});

builder.mutationField('repriceJobs', (t) =>
  t.field({
    type: RepriceJobsPayload,
    description:
      'For admins: computes the cost of edits again, of all owners, from the tokens that were reported and by today’s price table as of the time when each was sent. Safe to repeat, and beside running edits.',
    errors: {
      types: [InvalidInputError, NotFoundError],
      directResult: true,
      union: { name: 'RepriceJobsResult', description: 'The counts, or what is wrong.' },
    },
    args: {
      input: t.arg({ type: RepriceJobsInput, required: true, description: 'Which edits.' }),
    },
    resolve: (_, { input }, { repriceJobs, viewer, signal }) => {
      if (!viewer.isAdmin) throw new ForbiddenError('repriceJobs is for admins only.');
      const { from = null, to = null, model = null, after } = input;
      return repriceJobs(
        {
          from,
          to,
          model,
          afterId: after == null ? null : requireId('EditJob', after),
          limit: checkLimit(input.limit ?? DEFAULT_LIMIT),
        },
        signal,
      );
    },
  }),
);

function checkLimit(limit: number): number {
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new InvalidInputError(
    'limit',
    limit < 1 ? 'TOO_SMALL' : 'TOO_LARGE',
    `limit is a number of edits from 1 to ${MAX_LIMIT}; not ${limit}.`,
  );
}
