import { GraphQLError } from 'graphql';
import type { UsageDay, UsageReport, UsageTotals } from '../usage/report.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';

const Totals = builder.interfaceRef<UsageTotals>('UsageSums').implement({
  description:
    'Sums over edits. Tokens are those the edits API reported: `edits - editsWithUsage` edits have reported none (yet), which is unknown and not 0.',
  fields: (t) => ({
    edits: t.exposeInt('edits', { description: 'All edits, whatever became of them.' }),
    succeeded: t.exposeInt('succeeded', { description: 'Those that brought pictures.' }),
    failed: t.exposeInt('failed', { description: 'Those that surely brought none.' }),
    unresolved: t.exposeInt('unresolved', {
      description: 'Those of unknown outcome: they may have been paid.',
    }),
    images: t.exposeInt('images', { description: 'Output pictures.' }),
    editsWithUsage: t.exposeInt('editsWithUsage', {
      description: 'Edits whose tokens are known.',
    }),
    totalTokens: t.float({
      description: 'Input and output together.',
      resolve: (sums) => sums.totalTokens,
    }),
    inputTokens: t.float({
      description: 'Prompts and pictures.',
      resolve: (sums) => sums.inputTokens,
    }),
    inputTextTokens: t.float({ description: 'Prompts.', resolve: (sums) => sums.inputTextTokens }),
    inputImageTokens: t.float({
      description: 'Input pictures.',
      resolve: (sums) => sums.inputImageTokens,
    }),
    outputTokens: t.float({
      description: 'Output pictures.',
      resolve: (sums) => sums.outputTokens,
    }),
  }),
});

const UsageTotalsObject = builder.objectRef<UsageTotals>('UsageTotals').implement({
  description: 'Sums over the whole span.',
  interfaces: [Totals],
});

const UsageDayObject = builder.objectRef<UsageDay>('UsageDay').implement({
  description: 'Sums over one day that has edits.',
  interfaces: [Totals],
  fields: (t) => ({
    day: t.exposeString('day', { description: 'The day in UTC, such as `2026-11-22`.' }),
  }),
});

export const UsageReportObject = builder.objectRef<UsageReport>('UsageReport').implement({
  description: 'Who spent what: the viewer’s edits by the time they were created.',
  fields: (t) => ({
    totals: t.expose('totals', { type: UsageTotalsObject, description: 'The whole span.' }),
    days: t.expose('days', {
      type: [UsageDayObject],
      description: 'Day by day, oldest first; days without edits are left out.',
    }),
  }),
});

export const usageArgs = builder.args((t) => ({
  from: t.field({ type: 'DateTime', required: true, description: 'Inclusive.' }),
  to: t.field({ type: 'DateTime', required: true, description: 'Exclusive.' }),
}));

builder.queryField('usage', (t) =>
  t.field({
    type: UsageReportObject,
    description: 'Edits, pictures and tokens of a span of time, in all and by day.',
    args: usageArgs,
    resolve: (_, args, context) => reportUsage(args, context),
  }),
);

/** The viewer's. @throws GraphQLError with code BAD_USER_INPUT for a span that ends before it begins. */
export function reportUsage({ from, to }: { from: Date; to: Date }, context: Context) {
  if (from > to) {
    throw new GraphQLError('usage: `from` must not be after `to`.', {
      extensions: { code: 'BAD_USER_INPUT' },
    });
  }
  return context.usageReports.report(context.viewer, from, to);
}
