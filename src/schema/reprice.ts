import { assertAdmin } from '../auth/visible.ts';
import { InvalidInputError, NotFoundError } from '../errors.ts';
import { encodeGlobalId, requireId } from '../public-ids/global-id.ts';
import type { RepriceCounts } from '../usage/reprice.ts';
import { auditorOf } from './auditor.ts';
import { ADMIN_TAG, builder } from './builder.ts';

const DEFAULT_LIMIT = 10_000;
const MAX_LIMIT = 100_000;

const RepriceJobsInput = builder.inputType('RepriceJobsInput', {
  tag: ADMIN_TAG,
  description: 'Selects the edits to reprice. Every given condition must match.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'Only edits created at or after this time.' }),
    to: t.field({ type: 'DateTime', description: 'Only edits created before this time.' }),
    model: t.string({ description: 'Only edits with exactly this model name.' }),
    after: t.id({ description: '`endCursor` of the previous call, to continue from there.' }),
    limit: t.int({
      description: `Maximum number of edits to examine in this call: 1 to ${MAX_LIMIT.toLocaleString('en')}, default ${DEFAULT_LIMIT.toLocaleString('en')}.`,
    }),
  }),
});

const RepriceJobsPayload = builder.objectRef<RepriceCounts>('RepriceJobsPayload').implement({
  tag: ADMIN_TAG,
  description: 'Counts of the examined edits by result.',
  fields: (t) => ({
    examined: t.exposeInt('examined', {
      description: 'Number of edits examined: those that succeeded and whose tokens are known.',
    }),
    repriced: t.exposeInt('repriced', {
      description: 'Number of edits that got a new charge. The old charge is kept as superseded.',
    }),
    unchanged: t.exposeInt('unchanged', {
      description: 'Number of edits with the same cost at the same price version.',
    }),
    unknown: t.exposeInt('unknown', {
      description:
        'Number of edits that the current price table cannot price. Their previous charges remain.',
    }),
    endCursor: t.id({
      nullable: true,
      description: 'Cursor to pass as `after` in the next call. Null if no edits are left.',
      resolve: ({ lastId }) => lastId && encodeGlobalId('EditJob', lastId),
    }),
  }),
});

builder.mutationField('repriceJobs', (t) =>
  t.field({
    type: RepriceJobsPayload,
    tag: ADMIN_TAG,
    description:
      'Recomputes the cost of edits of all owners from their reported tokens and the current price table, with the prices in effect when each edit was sent. Safe to repeat and to run while edits are running. Admin only.',
    errors: {
      types: [InvalidInputError, NotFoundError],
      directResult: true,
      union: { tag: ADMIN_TAG, name: 'RepriceJobsResult', description: 'The counts, or an error.' },
    },
    args: {
      input: t.arg({
        type: RepriceJobsInput,
        required: true,
        description: 'The edits to reprice.',
      }),
    },
    resolve: async (_, { input }, context) => {
      const { repriceJobs, audit, prisma, viewer, signal } = context;
      assertAdmin(viewer, 'repriceJobs');
      const { from = null, to = null, model = null, after } = input;
      const limit = checkLimit(input.limit ?? DEFAULT_LIMIT);
      const afterId = after == null ? null : requireId('EditJob', after);
      // Before the first of its transactions, so that an interrupted call is on record, too.
      await audit.record(prisma, auditorOf(context), {
        action: 'repriceJobs',
        object: { type: 'EditJob', id: model ?? 'all', ownerId: null },
        after: {
          from: from?.toISOString() ?? null,
          to: to?.toISOString() ?? null,
          model,
          afterId,
          limit,
        },
      });
      return repriceJobs({ from, to, model, afterId, limit }, signal);
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
