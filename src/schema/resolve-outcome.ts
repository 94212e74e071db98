import { assertAdmin, visibleTo } from '../auth/visible.ts';
import { InvalidInputError, JobNotResolvableError, NotFoundError } from '../errors.ts';
import { parseDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { requireId } from '../public-ids/global-id.ts';
import { auditorOf } from './auditor.ts';
import { ADMIN_TAG, builder } from './builder.ts';

const ResolveOutcomeInput = builder.inputType('ResolveOutcomeInput', {
  tag: ADMIN_TAG,
  description: 'The edit, and whether it was paid.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global id of the EditJob.' }),
    paid: t.boolean({
      required: true,
      description: 'Whether the upstream billed the edit, for example by its usage page.',
    }),
    cost: t.field({
      type: 'Decimal',
      description:
        'What it cost, in US dollars with at most six decimal places. Required if it was paid, otherwise omitted or 0.',
    }),
  }),
});

const ResolveOutcomePayload = builder.objectRef<{ id: string }>('ResolveOutcomePayload').implement({
  tag: ADMIN_TAG,
  description: 'Result of a successful `resolveOutcome`.',
  fields: (t) => ({
    editJob: t.prismaField({
      type: 'EditJob',
      description: 'The edit with its new charge.',
      resolve: (query, { id }, _, { prisma, viewer }) =>
        prisma.editJob.findUniqueOrThrow({ ...query, where: { id, ...visibleTo(viewer) } }),
    }),
  }),
});

builder.mutationField('resolveOutcome', (t) =>
  t.field({
    type: ResolveOutcomePayload,
    tag: ADMIN_TAG,
    description:
      'Sets the cost of an edit that may have been paid at an unknown cost: one that is OUTCOME_UNKNOWN, was CANCELED while running, or SUCCEEDED at unknown cost. Its reservations are settled, and it gets a charge of the version `manual`, which `repriceJobs` and `rereadAnswer` keep. The status does not change. A later call replaces the charge. Admin only.',
    errors: {
      types: [InvalidInputError, NotFoundError, JobNotResolvableError],
      directResult: true,
      union: {
        tag: ADMIN_TAG,
        name: 'ResolveOutcomeResult',
        description: 'The edit, or an error.',
      },
    },
    args: {
      input: t.arg({
        type: ResolveOutcomeInput,
        required: true,
        description: 'The edit, and whether it was paid.',
      }),
    },
    resolve: (_, { input }, context) => {
      assertAdmin(context.viewer, 'resolveOutcome');
      const { id, paid: isPaid, cost = null } = input;
      const costMicroUsd = checkCost(isPaid, cost);
      return context.resolveOutcome(auditorOf(context), {
        jobId: requireId('EditJob', id),
        isPaid,
        costMicroUsd,
      });
    },
  }),
);

function checkCost(isPaid: boolean, cost: string | null): bigint {
  if (cost === null) {
    if (!isPaid) return 0n;
    throw new InvalidInputError('cost', 'REQUIRED', 'cost is required if the edit was paid.');
  }
  const costMicroUsd = parseDecimal(cost, USD_FRACTION_DIGITS);
  if (costMicroUsd === null) {
    throw new InvalidInputError(
      'cost',
      'INVALID_VALUE',
      `cost must have at most ${USD_FRACTION_DIGITS} digits after the point and 12 before it.`,
    );
  }
  if (isPaid || costMicroUsd === 0n) return costMicroUsd;
  throw new InvalidInputError('cost', 'INVALID_VALUE', 'cost must be 0 if the edit was not paid.');
}
