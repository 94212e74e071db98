import type { EditSums } from '../edits/history/edit-sums.ts';
import { formatDecimal, USD_FRACTION_DIGITS } from '../models/decimal.ts';
import { builder } from './builder.ts';

/** The sums of a prompt and of a lineage. */
export const EditSumsInterface = builder.interfaceRef<EditSums>('EditSums').implement({
  description:
    'Sums over edits. Unknown values are not included; the edits they are missing from are counted separately.',
  fields: (t) => ({
    edits: t.exposeInt('edits', { description: 'Number of edits, in any status.' }),
    succeeded: t.exposeInt('succeeded', { description: 'Number of edits that succeeded.' }),
    images: t.exposeInt('images', { description: 'Number of output images.' }),
    totalTokens: t.float({
      nullable: true,
      description: 'Sum of the known token counts. Null if none is known.',
      resolve: ({ totalTokens }) => (totalTokens === null ? null : Number(totalTokens)),
    }),
    editsWithoutTokens: t.exposeInt('editsWithoutTokens', {
      description:
        'Number of edits whose token usage is unknown: they have not ended, they failed, or the upstream reported none.',
    }),
    cost: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'Sum of the known costs, in US dollars. Null if none is known.',
      resolve: ({ costMicroUsd }) =>
        costMicroUsd === null ? null : formatDecimal(costMicroUsd, USD_FRACTION_DIGITS),
    }),
    editsWithoutCost: t.exposeInt('editsWithoutCost', {
      description: 'Number of edits whose cost is unknown.',
    }),
  }),
});
