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
  failed: 'Number of edits that are FAILED.',
  canceled: 'Number of edits that were canceled before a request was sent. They cost nothing.',
  unresolved:
    'Number of edits that are OUTCOME_UNKNOWN or were canceled while a request was in progress. They may have been billed; their tokens and cost are unknown.',
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
  inputTextTokens: 'Text tokens of the input, as far as upstreams reported them.',
  inputImageTokens: 'Image tokens of the input, as far as upstreams reported them.',
  cachedInputTokens: 'Input tokens that upstreams read from their cache, as far as reported.',
  outputTokens: 'Tokens of the output.',
  outputTextTokens: 'Text tokens of the output, as far as upstreams reported them.',
  outputImageTokens: 'Image tokens of the output, as far as upstreams reported them.',
} satisfies Partial<Record<CountName, string>>;

const names = <Table extends object>(table: Table) =>
  Object.entries(table) as [CountName, string][];

export const UsageSumsInterface = builder.interfaceRef<UsageSums>('UsageSums').implement({
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
    cost: t.field({
      type: 'Decimal',
      description:
        'Cost in US dollars, exact to a millionth, from current charges. Includes `nominalCost`.',
      resolve: ({ costMicroUsd }) => formatDecimal(costMicroUsd, USD_FRACTION_DIGITS),
    }),
    nominalCost: t.field({
      type: 'Decimal',
      description:
        'Part of `cost` that was not billed because the sandbox made the edits. US dollars.',
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
