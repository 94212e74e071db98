import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import type { UsageSums } from '../usage/usage-sums.ts';
import { builder } from './builder.ts';

type CountName = {
  [Name in keyof UsageSums]: UsageSums[Name] extends number ? Name : never;
}[keyof UsageSums];

const EDITS = {
  edits:
    'Number of edits in any status: the sum of `pending`, `succeeded`, `failed`, `canceled` and `unresolved`.',
  pending: 'Number of edits that are QUEUED or RUNNING.',
  succeeded: 'Number of edits that are SUCCEEDED.',
  failed:
    'Number of edits that are FAILED, or had an unknown outcome that an admin has resolved by `resolveOutcome`.',
  canceled: 'Number of edits that were canceled before a request was sent. They cost nothing.',
  unresolved:
    'Number of edits that are OUTCOME_UNKNOWN or were canceled while a request was in progress, and that no admin has resolved. They may have been billed; their tokens and cost are unknown.',
  sandboxEdits: 'Number of edits made by the sandbox, which are free.',
  editsWithUsage: 'Number of edits whose tokens are known. The token sums cover these edits.',
  editsWithCost: 'Number of edits whose cost is known. `cost` covers these edits.',
  editsWithUnknownCost:
    'Number of edits that succeeded but whose cost is unknown: no tokens were reported, or the price table lacks a price.',
  images: 'Number of output images.',
} satisfies Partial<Record<CountName, string>>;

/** Floats, because the sums may exceed an Int. */
const TOKENS = {
  totalTokens: 'Total of input and output tokens.',
  inputTokens: 'Tokens of prompts and input images.',
  cachedInputTokens: 'Input tokens that upstreams read from their cache, as far as reported.',
  outputTokens: 'Tokens of the output.',
} satisfies Partial<Record<CountName, string>>;

const names = <Table extends object>(table: Table) =>
  Object.entries(table) as [CountName, string][];

interface TokensByKind {
  readonly textTokens: number;
  readonly imageTokens: number;
}

const TokenTotalsDetails = builder.objectRef<TokensByKind>('TokenTotalsDetails').implement({
  description: 'Sums of token counts by kind, as far as upstreams reported them.',
  fields: (t) => ({
    textTokens: t.exposeFloat('textTokens', { description: 'Number of text tokens.' }),
    imageTokens: t.exposeFloat('imageTokens', { description: 'Number of image tokens.' }),
  }),
});

/** The only type of sums over edits: of a usage report, a prompt and a lineage. */
export const EditTotals = builder.objectRef<UsageSums>('EditTotals').implement({
  description:
    'Sums over edits. Unknown values are not included, so `cost` is a lower bound unless `isCostComplete` is true. `pending`, `unresolved` and `editsWithUnknownCost` count the edits whose cost is missing.',
  fields: (t) => ({
    ...Object.fromEntries(
      names(EDITS).map(([name, description]) => [
        name,
        t.int({ description, resolve: (sums) => sums[name] }),
      ]),
    ),
    ...Object.fromEntries(
      names(TOKENS).map(([name, description]) => [
        name,
        t.float({ description, resolve: (sums) => sums[name] }),
      ]),
    ),
    inputTokensDetails: t.field({
      type: TokenTotalsDetails,
      description: 'Input tokens by kind.',
      resolve: ({ inputTextTokens, inputImageTokens }) => ({
        textTokens: inputTextTokens,
        imageTokens: inputImageTokens,
      }),
    }),
    outputTokensDetails: t.field({
      type: TokenTotalsDetails,
      description: 'Output tokens by kind.',
      resolve: ({ outputTextTokens, outputImageTokens }) => ({
        textTokens: outputTextTokens,
        imageTokens: outputImageTokens,
      }),
    }),
    successRate: t.float({
      nullable: true,
      description:
        'Fraction of the final edits that succeeded, from 0 to 1. Null if no edit is final.',
      resolve: ({ edits, pending, succeeded }) =>
        edits === pending ? null : succeeded / (edits - pending),
    }),
    cost: t.field({
      type: 'Decimal',
      description:
        'Cost in US dollars, exact to a millionth, from current charges. Includes `nominalCost`.',
      resolve: ({ costMicroUsd }) => formatDecimal(costMicroUsd, USD_FRACTION_DIGITS),
    }),
    nominalCost: t.field({
      type: 'Decimal',
      description:
        'Part of `cost` that was not billed because the sandbox made the edits, in US dollars.',
      resolve: ({ nominalCostMicroUsd }) => formatDecimal(nominalCostMicroUsd, USD_FRACTION_DIGITS),
    }),
    isCostComplete: t.boolean({
      description:
        'Whether `cost` is complete: no edit is pending or unresolved, and no succeeded edit has an unknown cost.',
      resolve: ({ pending, unresolved, editsWithUnknownCost }) =>
        pending + unresolved + editsWithUnknownCost === 0,
    }),
  }),
});
