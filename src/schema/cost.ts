import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { PRICE_FRACTION_DIGITS, type PriceVersion, TOKEN_KINDS } from '../models/prices.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';

export interface CostShape {
  readonly amountMicroUsd: bigint;
  readonly priceVersion: string;
  readonly nominal: boolean;
}

const Currency = builder.enumType('Currency', {
  description: 'What amounts are in.',
  values: { USD: { description: 'US dollars.' } },
});

export const Cost = builder.objectRef<CostShape>('Cost').implement({
  description:
    'What tokens cost by a published price list. The bill of the edits API may differ: by a discount, a tax, or a price list of its own.',
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      description: 'Exact to a millionth.',
      resolve: ({ amountMicroUsd }) => formatDecimal(amountMicroUsd, USD_FRACTION_DIGITS),
    }),
    currency: t.field({
      type: Currency,
      description: 'What `amount` is in.',
      resolve: () => 'USD' as const,
    }),
    priceVersion: t.exposeString('priceVersion', {
      description: 'The prices that it was computed by: see `EditModel.prices`.',
    }),
    nominal: t.exposeBoolean('nominal', {
      description:
        'Nothing was paid, since the sandbox made the pictures: this is what the edit would have cost by the list.',
    }),
  }),
});

interface ChargeShape {
  readonly cost: CostShape;
  readonly createdAt: Date;
  readonly supersededAt: Date | null;
}

const Charge = builder.objectRef<ChargeShape>('Charge').implement({
  description: 'What an edit was found to cost, at one time and by one version of the prices.',
  fields: (t) => ({
    cost: t.expose('cost', { type: Cost, description: 'The amount.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was computed: as the edit succeeded, or by `repriceJobs`.',
    }),
    supersededAt: t.expose('supersededAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When another took its place; null: it holds.',
    }),
  }),
});

/** Both fields ask in the same way, so that one query serves them for a whole page of jobs. */
const WITH_CHARGES = { sandbox: true, charges: { orderBy: { id: 'asc' } } } as const;

builder.prismaObjectFields(EditJob, (t) => ({
  cost: t.field({
    type: Cost,
    nullable: true,
    description:
      'What it cost, by the charge that holds. Null: unknown, which is never 0; because it has not succeeded, no tokens were reported, or a price is not known. An edit whose `costUnresolved` is true may have cost something nevertheless.',
    select: WITH_CHARGES,
    resolve: ({ charges, sandbox }) => {
      const current = charges.find(({ supersededAt }) => supersededAt === null);
      return current ? { ...current, nominal: sandbox } : null;
    },
  }),
  charges: t.field({
    type: [Charge],
    description: 'All charges there have been, oldest first.',
    select: WITH_CHARGES,
    resolve: ({ charges, sandbox }) =>
      charges.map(({ createdAt, supersededAt, ...cost }) => ({
        cost: { ...cost, nominal: sandbox },
        createdAt,
        supersededAt,
      })),
  }),
}));

const KIND_DESCRIPTIONS = {
  textInput: 'Prompts.',
  cachedTextInput: 'Prompts that the edits API had in its cache.',
  imageInput: 'Input pictures.',
  cachedImageInput: 'Input pictures that the edits API had in its cache.',
  textOutput: 'Text that the model writes beside its pictures.',
  imageOutput: 'Output pictures.',
} satisfies Record<(typeof TOKEN_KINDS)[number], string>;

const TokenPrices = builder.objectRef<PriceVersion['prices']>('TokenPrices').implement({
  description:
    'US dollars per million tokens, by kind; null: not known, so that a cost with such tokens is not either.',
  fields: (t) =>
    Object.fromEntries(
      TOKEN_KINDS.map((kind) => [
        kind,
        t.field({
          type: 'Decimal',
          nullable: true,
          description: KIND_DESCRIPTIONS[kind],
          resolve: (prices) => {
            const price = prices[kind];
            return price === null ? null : formatDecimal(price, PRICE_FRACTION_DIGITS);
          },
        }),
      ]),
    ),
});

export const ModelPrices = builder.objectRef<PriceVersion>('ModelPrices').implement({
  description: 'What a model’s tokens cost from a time on, until the next version.',
  fields: (t) => ({
    version: t.exposeString('version', { description: 'As in `Cost.priceVersion`.' }),
    from: t.expose('from', { type: 'DateTime', description: 'Inclusive.' }),
    source: t.exposeString('source', { description: 'Where they were published.' }),
    note: t.exposeString('note', { nullable: true, description: 'What else is to know.' }),
    usdPerMillionTokens: t.expose('prices', { type: TokenPrices, description: 'The prices.' }),
  }),
});
