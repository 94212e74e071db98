import type { GraphQLResolveInfo } from 'graphql';
import type { Context, LaggingReads } from './context.ts';

/** Of the descriptions of fields that read by `listsOf`. */
export const MAY_LAG = 'May lag by seconds if the server reads from a replica.';

/**
 * Lists and reports. Those of a query may lag; what a mutation returns or a subscription shows is
 * current.
 */
export function listsOf(context: Context, info: GraphQLResolveInfo): LaggingReads {
  return info.operation.operation === 'query' ? context.lagging : context;
}
