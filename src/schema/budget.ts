import { assertAdmin, visibleOwner } from '../auth/visible.ts';
import { checkAll, InvalidInputError } from '../errors.ts';
import { BUDGET_PERIODS, type BudgetPeriod } from '../limits/budget-period.ts';
import type { BudgetState } from '../limits/budget-state.ts';
import { formatDecimal, parseDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { ADMIN_TAG, builder } from './builder.ts';
import { EditJob } from './edit-job.ts';

/** Maximum length of an owner id. */
const MAX_OWNER_CHARACTERS = 255;

const PERIOD_DESCRIPTIONS = {
  DAY: 'A day in UTC.',
  MONTH: 'A calendar month in UTC.',
  TOTAL: 'All time. The budget never resets.',
} satisfies Record<BudgetPeriod, string>;

const BudgetPeriodEnum = builder.enumType('BudgetPeriod', {
  description: 'The window over which spending is counted, by submission time.',
  values: Object.fromEntries(
    BUDGET_PERIODS.map((period) => [period, { description: PERIOD_DESCRIPTIONS[period] }]),
  ) as Record<BudgetPeriod, { description: string }>,
});

const AMOUNTS = {
  limit: ['limitMicroUsd', 'Maximum cost of all edits submitted in one period.'],
  used: ['usedMicroUsd', 'The sum of `cost` and `reserved`.'],
  cost: ['spentMicroUsd', 'Sum of the known costs of the edits submitted in this period.'],
  reserved: [
    'reservedMicroUsd',
    'Reserved for edits that are still queued or running, or whose cost is unknown: the outcome is unknown, the edit was canceled while running, no tokens were reported, or no price is known.',
  ],
  remaining: [
    'remainingMicroUsd',
    'Maximum amount that a new edit can reserve: `limit` minus `used`, never below 0.',
  ],
  exceededBy: [
    'exceededByMicroUsd',
    'Amount by which `used` exceeds `limit`. Above 0 only if edits cost more than they had reserved, or if the limit was lowered.',
  ],
} as const;

export const Budget = builder.objectRef<BudgetState>('Budget').implement({
  description: 'The spending limit of an owner. Amounts are in US dollars, exact to a millionth.',
  fields: (t) => ({
    ownerId: t.exposeString('ownerId', { description: 'The owner of the budget.' }),
    period: t.expose('period', {
      type: BudgetPeriodEnum,
      description: 'The period over which spending is counted.',
    }),
    resetsAt: t.expose('resetsAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the next period starts and `used` returns to 0. Null if the budget never resets.',
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
  description: 'The amount that an edit reserves from its owner’s budget until its cost is known.',
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      description: 'Maximum cost of the edit in US dollars. See `EditModel.bounds`.',
      resolve: ({ amountMicroUsd }) => formatDecimal(amountMicroUsd, USD_FRACTION_DIGITS),
    }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the actual cost replaced the reservation. Null while the amount is still reserved.',
    }),
    exceededBy: t.field({
      type: 'Decimal',
      description:
        'Amount by which the actual cost exceeded `amount`, in US dollars; 0 if it did not. Usage above a bound is logged and raises that bound for later edits.',
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
    description:
      'The budget reservation. Null if the owner had no budget when the edit was submitted.',
    select: { costMicroUsd: true, reservation: true },
    resolve: ({ costMicroUsd, reservation }) => reservation && { ...reservation, costMicroUsd },
  }),
);

builder.queryField('budget', (t) =>
  t.field({
    type: Budget,
    nullable: true,
    description: 'The viewer’s budget. Null if spending is unlimited.',
    resolve: (_, __, { budgets, viewer }) => budgets.find(visibleOwner(viewer)),
  }),
);

const SetBudgetInput = builder.inputType('SetBudgetInput', {
  tag: ADMIN_TAG,
  description: 'The owner and the new budget.',
  fields: (t) => ({
    ownerId: t.id({
      required: true,
      description: 'The owner, as in `UsageBucket.ownerId`; `local` without authentication.',
    }),
    limit: t.field({
      type: 'Decimal',
      description:
        'Limit in US dollars, with at most six decimal places. Required; null removes the budget.',
    }),
    period: t.field({
      type: BudgetPeriodEnum,
      description: 'If omitted, the period stays unchanged; a new budget uses MONTH.',
    }),
  }),
});

const SetBudgetPayload = builder
  .objectRef<{ budget: BudgetState | null }>('SetBudgetPayload')
  .implement({
    tag: ADMIN_TAG,
    description: 'Result of a successful `setBudget`.',
    fields: (t) => ({
      budget: t.field({
        type: Budget,
        nullable: true,
        description: 'The budget after the change. Null if it was removed.',
        resolve: ({ budget }) => budget,
      }),
    }),
  });

builder.mutationField('setBudget', (t) =>
  t.field({
    type: SetBudgetPayload,
    tag: ADMIN_TAG,
    description:
      'Sets or removes an owner’s budget. Costs and reservations from the current period count from the start. Admin only.',
    errors: {
      types: [InvalidInputError],
      directResult: true,
      union: {
        tag: ADMIN_TAG,
        name: 'SetBudgetResult',
        description: 'The new budget, or an error.',
      },
    },
    args: {
      input: t.arg({
        type: SetBudgetInput,
        required: true,
        description: 'The owner and the new budget.',
      }),
    },
    resolve: async (_, { input }, { setBudget, viewer }) => {
      assertAdmin(viewer, 'setBudget');
      const { ownerId, limit, period = null } = input;
      const { owner, limitMicroUsd } = checkAll({
        owner: () => checkOwner(ownerId),
        limitMicroUsd: () => checkLimit(limit),
      });
      return { budget: await setBudget(owner, { limitMicroUsd, period }) };
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

/** An omitted limit is rejected: the caller may not intend to remove the budget. */
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
