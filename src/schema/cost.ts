import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { PRICE_FRACTION_DIGITS, type PriceVersion, TOKEN_KINDS } from '../models/prices.ts';
import { builder } from './builder.ts';
import { EditJob } from './edit-job.ts';

export interface CostShape {
  readonly amountMicroUsd: bigint;
  readonly priceVersion: string;
  readonly nominal: boolean;
}

export const Cost = builder.objectRef<CostShape>('Cost').implement({
  description:
    'Cost of the tokens at published prices. The upstream’s invoice may differ because of discounts, taxes or its own prices.',
  fields: (t) => ({
    amount: t.field({
      type: 'Decimal',
      description: 'Amount in US dollars, exact to a millionth.',
      resolve: ({ amountMicroUsd }) => formatDecimal(amountMicroUsd, USD_FRACTION_DIGITS),
    }),
    priceVersion: t.exposeString('priceVersion', {
      description: 'Version of the prices used. See `EditModel.prices`.',
    }),
    nominal: t.exposeBoolean('nominal', {
      description:
        'Whether the amount is only nominal. True for edits made by the sandbox, which are free: the amount is what the edit would cost at published prices.',
    }),
  }),
});

interface ChargeShape {
  readonly cost: CostShape;
  readonly createdAt: Date;
  readonly supersededAt: Date | null;
}

const Charge = builder.objectRef<ChargeShape>('Charge').implement({
  description: 'The cost of an edit, as computed at one time with one version of the prices.',
  fields: (t) => ({
    cost: t.expose('cost', { type: Cost, description: 'The computed cost.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the cost was computed: when the edit succeeded, or by `repriceJobs`.',
    }),
    supersededAt: t.expose('supersededAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a newer charge replaced this one. Null if this charge is current.',
    }),
  }),
});

/** Both fields select the same rows, so one query serves a whole page of jobs. */
const WITH_CHARGES = {
  sandbox: true,
  charges: {
    orderBy: { id: 'asc' },
    select: { amountMicroUsd: true, priceVersion: true, createdAt: true, supersededAt: true },
  },
} as const;

builder.prismaObjectFields(EditJob, (t) => ({
  cost: t.field({
    type: Cost,
    nullable: true,
    description:
      'Cost of the edit, from its current charge. Null if unknown, which does not mean 0: the edit has not succeeded, no tokens were reported, or a price is not known. An edit with `costUnresolved` true may still have been billed.',
    select: WITH_CHARGES,
    resolve: ({ charges, sandbox }) => {
      const current = charges.find(({ supersededAt }) => supersededAt === null);
      return current ? { ...current, nominal: sandbox } : null;
    },
  }),
  charges: t.field({
    type: [Charge],
    description: 'All charges of the edit, including superseded ones, oldest first.',
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
  textInput: 'Prompt tokens.',
  cachedTextInput: 'Prompt tokens that the upstream read from its cache.',
  imageInput: 'Input image tokens.',
  cachedImageInput: 'Input image tokens that the upstream read from its cache.',
  textOutput: 'Tokens of the text that the model generates in addition to images.',
  imageOutput: 'Output image tokens.',
} satisfies Record<(typeof TOKEN_KINDS)[number], string>;

const TokenPrices = builder.objectRef<PriceVersion['prices']>('TokenPrices').implement({
  description:
    'US dollars per million tokens, by kind of token. Null if the price is not known; the cost of an edit with such tokens is then unknown too.',
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
  description: 'Token prices of a model, valid until the next version takes effect.',
  fields: (t) => ({
    version: t.exposeString('version', { description: 'Version name, as in `Cost.priceVersion`.' }),
    from: t.expose('from', { type: 'DateTime', description: 'When the prices take effect.' }),
    source: t.exposeString('source', { description: 'Where the prices were published.' }),
    note: t.exposeString('note', { nullable: true, description: 'Additional notes.' }),
    usdPerMillionTokens: t.expose('prices', {
      type: TokenPrices,
      description: 'Prices in US dollars per million tokens.',
    }),
  }),
});
