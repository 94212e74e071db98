import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import type { UsageSums } from '../usage/usage-sums.ts';
import { builder } from './builder.ts';

type CountName = {
  [Name in keyof UsageSums]: UsageSums[Name] extends number ? Name : never;
}[keyof UsageSums];

const EDITS = {
  edits: 'All edits, whatever became of them: the sum of the next five.',
  pending: 'Those that are QUEUED or RUNNING.',
  succeeded: 'Those that brought pictures.',
  failed: 'Those that surely brought none.',
  canceled: 'Those that were canceled before a request went out: they cost nothing.',
  unresolved:
    'Those of OUTCOME_UNKNOWN, and those that were canceled while a request was out: they may have been paid, and neither their tokens nor their cost will be known.',
  sandboxEdits: 'Those of the sandbox, which nobody paid.',
  editsWithUsage: 'Those whose tokens are known: the token sums are over these.',
  editsWithCost: 'Those whose cost is known: `cost` is the sum over these.',
  editsWithUnknownCost:
    'Those that brought pictures, at a price that is not known: no tokens were reported, or the price list does not have the model.',
  images: 'Output pictures.',
} satisfies Partial<Record<CountName, string>>;

/** More than an Int holds. */
const TOKENS = {
  totalTokens: 'Input and output together.',
  inputTokens: 'Prompts and pictures that went in.',
  inputTextTokens: 'The part of the input that is text, as far as the edits API said.',
  inputImageTokens: 'The part of the input that is pictures, as far as the edits API said.',
  cachedInputTokens:
    'The part of the input that the edits API had in its cache, as far as it said.',
  outputTokens: 'What came out.',
  outputTextTokens: 'The part of the output that is text, as far as the edits API said.',
  outputImageTokens: 'The part of the output that is pictures, as far as the edits API said.',
} satisfies Partial<Record<CountName, string>>;

const names = <Table extends object>(table: Table) =>
  Object.entries(table) as [CountName, string][];

export const UsageSumsInterface = builder.interfaceRef<UsageSums>('UsageSums').implement({
  description:
    'Sums over edits. What is not known is in no sum and never 0: the edits cost at least `cost`, and `isCostComplete` says whether that is all; if not, `pending`, `unresolved` and `editsWithUnknownCost` say of how many edits the cost is missing.',
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
        'US dollars, by the charges that hold, exact to a millionth. With `nominalCost` in it.',
      resolve: ({ costMicroUsd }) => formatDecimal(costMicroUsd, USD_FRACTION_DIGITS),
    }),
    nominalCost: t.field({
      type: 'Decimal',
      description:
        'The part of `cost` that nobody paid, since the sandbox made the pictures. US dollars.',
      resolve: ({ nominalCostMicroUsd }) => formatDecimal(nominalCostMicroUsd, USD_FRACTION_DIGITS),
    }),
    isCostComplete: t.boolean({
      description:
        'Nothing is missing from `cost`: no edit is pending or unresolved, and none has an unknown cost.',
      resolve: ({ pending, unresolved, editsWithUnknownCost }) =>
        pending + unresolved + editsWithUnknownCost === 0,
    }),
  }),
});
