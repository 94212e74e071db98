import type { EditSums } from '../edits/edit-sums.ts';
import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { builder } from './builder.ts';

/** What a prompt and a lineage add up. */
export const EditSumsInterface = builder.interfaceRef<EditSums>('EditSums').implement({
  description: 'Sums over edits. What is unknown is counted apart: it is not 0.',
  fields: (t) => ({
    edits: t.exposeInt('edits', { description: 'All edits, whatever became of them.' }),
    succeeded: t.exposeInt('succeeded', { description: 'Those that brought pictures.' }),
    images: t.exposeInt('images', { description: 'Output pictures.' }),
    totalTokens: t.float({
      nullable: true,
      description: 'Tokens of the edits whose tokens are known; null when none are.',
      resolve: ({ totalTokens }) => (totalTokens === null ? null : Number(totalTokens)),
    }),
    editsWithoutTokens: t.exposeInt('editsWithoutTokens', {
      description: 'Edits whose tokens are not known: not final, failed, or never told.',
    }),
    cost: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'US dollars, of the edits whose cost is known; null when none is.',
      resolve: ({ costMicroUsd }) =>
        costMicroUsd === null ? null : formatDecimal(costMicroUsd, USD_FRACTION_DIGITS),
    }),
    editsWithoutCost: t.exposeInt('editsWithoutCost', {
      description: 'Edits whose cost is not known.',
    }),
  }),
});
