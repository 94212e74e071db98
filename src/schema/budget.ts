import { ForbiddenError, InvalidInputError } from '../errors.ts';
import { formatDecimal, parseDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { BUDGET_PERIODS, type BudgetPeriod } from '../usage/budget-period.ts';
import type { BudgetState } from '../usage/budget-state.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';

/** As long as an owner's id may be. */
const MAX_OWNER_CHARACTERS = 255;

const PERIOD_DESCRIPTIONS = {
  DAY: 'A day of UTC.',
  MONTH: 'A calendar month of UTC.',
  TOTAL: 'All time: what is used never comes back.',
} satisfies Record<BudgetPeriod, string>;

const BudgetPeriodEnum = builder.enumType('BudgetPeriod', {
  description: 'How long what an edit costs counts: in the period in which it was taken in.',
  values: Object.fromEntries(
    BUDGET_PERIODS.map((period) => [period, { description: PERIOD_DESCRIPTIONS[period] }]),
  ) as Record<BudgetPeriod, { description: string }>,
});

const AMOUNTS = {
  limit: ['limitMicroUsd', 'What edits of a period may cost.'],
  used: ['usedMicroUsd', '`spent` and `held` together.'],
  spent: ['spentMicroUsd', 'What edits of this period have cost.'],
  held: [
    'heldMicroUsd',
    'The most that those may cost which have not ended, and those of which nobody can tell what they have cost: with an unknown outcome, canceled while they ran, or without reported tokens.',
  ],
  remaining: ['remainingMicroUsd', 'What a new edit may cost at most.'],
  exceededBy: [
    'exceededByMicroUsd',
    '`used` above `limit`; 0 unless edits have cost more than they had reserved, or the limit was lowered.',
  ],
} as const;

const Budget = builder.objectRef<BudgetState>('Budget').implement({
  description: 'What an owner may spend on edits. Amounts are in US dollars, exact to a millionth.',
  fields: (t) => ({
    ownerId: t.exposeString('ownerId', { description: 'Whose it is.' }),
    period: t.expose('period', { type: BudgetPeriodEnum, description: 'How long it counts.' }),
    resetsAt: t.expose('resetsAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the next period begins, with nothing used; null: never.',
    }),
    ...Object.fromEntries(
      Object.entries(AMOUNTS).map(([name, [amount, description]]) => [
        name,
        t.field({
          type: 'Decimal',
          description,
          resolve: (budget) => formatDecimal(budget[amount], USD_FRACTION_DIGITS),
        }),
      ]),
    ),
  }),
});

interface ReservationShape {
  readonly amountMicroUsd: bigint;
  readonly settledAt: Date | null;
  readonly costMicroUsd: bigint | null;
}

const Reservation = builder.objectRef<ReservationShape>('BudgetReservation').implement({
  description: 'What an edit reserves of its owner’s budget, until its cost is known.',
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      description: 'The most that the edit may cost, in US dollars: see `EditModel.bounds`.',
      resolve: ({ amountMicroUsd }) => formatDecimal(amountMicroUsd, USD_FRACTION_DIGITS),
    }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the cost took its place; null: it is still reserved.',
    }),
    exceededBy: t.field({
      type: 'Decimal',
      description:
        'What the edit cost above `amount`, in US dollars. Usage above a bound is logged, and raises that bound for later edits.',
      resolve: ({ amountMicroUsd, settledAt, costMicroUsd }) => {
        const above = settledAt === null ? 0n : (costMicroUsd ?? 0n) - amountMicroUsd;
        return formatDecimal(above > 0n ? above : 0n, USD_FRACTION_DIGITS);
      },
    }),
  }),
});

builder.prismaObjectField(EditJob, 'reservation', (t) =>
  t.field({
    type: Reservation,
    nullable: true,
    description: 'Null: its owner had no budget when it was submitted.',
    select: { costMicroUsd: true, reservation: true },
    resolve: ({ costMicroUsd, reservation }) => reservation && { ...reservation, costMicroUsd },
  }),
);

builder.queryField('budget', (t) =>
  t.field({
    type: Budget,
    nullable: true,
    description: 'What you may spend; null: without limit.',
    resolve: (_, __, { budgets, viewer }) => budgets.find(viewer.ownerId),
  }),
);

const SetBudgetInput = builder.inputType('SetBudgetInput', {
  description: 'Whose budget, and how much.',
  fields: (t) => ({
    ownerId: t.id({
      required: true,
      description: 'The owner, as in `UsageBucket.ownerId`; `local` without authentication.',
    }),
    limit: t.field({
      type: 'Decimal',
      description:
        'In US dollars, with at most six digits after the point. Null removes the budget.',
    }),
    period: t.field({
      type: BudgetPeriodEnum,
      description: 'Absent: as it is, MONTH for a new budget.',
    }),
  }),
});

const SetBudgetPayload = builder
  .objectRef<{ budget: BudgetState | null }>('SetBudgetPayload')
  .implement({
    description: 'The budget is set, or removed.',
    fields: (t) => ({
      budget: t.field({
        type: Budget,
        nullable: true,
        description: 'As it is now; null: removed.',
        resolve: ({ budget }) => budget,
      }),
    }),
  });

builder.mutationField('setBudget', (t) =>
  t.field({
    type: SetBudgetPayload,
    description:
      'For admins: sets or removes what an owner may spend. What the period’s edits have cost and hold already counts.',
    errors: {
      types: [InvalidInputError],
      directResult: true,
      union: { name: 'SetBudgetResult', description: 'The budget, or what is wrong.' },
    },
    args: {
      input: t.arg({ type: SetBudgetInput, required: true, description: 'Whose, and how much.' }),
    },
    resolve: async (_, { input }, { setBudget, viewer }) => {
      if (!viewer.isAdmin) throw new ForbiddenError('setBudget is for admins only.');
      const { ownerId, limit, period = null } = input;
      return {
        budget: await setBudget(checkOwner(ownerId), { limitMicroUsd: checkLimit(limit), period }),
      };
    },
  }),
);

function checkOwner(ownerId: string): string {
  if (ownerId.length <= MAX_OWNER_CHARACTERS && /^[^\p{Cc}\p{Cs}]+$/u.test(ownerId)) return ownerId;
  throw new InvalidInputError(
    'ownerId',
    'INVALID_VALUE',
    `An ownerId has 1 to ${MAX_OWNER_CHARACTERS} characters, none of them a control character.`,
  );
}

/** Who leaves it out may not mean to remove it. */
function checkLimit(limit: string | null | undefined): bigint | null {
  if (limit === null) return null;
  if (limit === undefined) {
    throw new InvalidInputError(
      'limit',
      'REQUIRED',
      'limit is an amount in US dollars, or null, which removes the budget.',
    );
  }
  const limitMicroUsd = parseDecimal(limit, USD_FRACTION_DIGITS);
  if (limitMicroUsd !== null) return limitMicroUsd;
  throw new InvalidInputError(
    'limit',
    'INVALID_VALUE',
    `limit has at most ${USD_FRACTION_DIGITS} digits after the point; not ${limit}.`,
  );
}
