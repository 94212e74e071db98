import { ForbiddenError, InvalidInputError } from '../errors.ts';
import { BUDGET_PERIODS, type BudgetPeriod } from '../usage/budget-period.ts';
import type { BudgetState } from '../usage/budget-state.ts';
import { formatDecimal, parseDecimal, USD_FRACTION_DIGITS } from '../usage/decimal.ts';
import { builder } from './builder.ts';

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
