import { createGraphQLError, type Plugin } from 'graphql-yoga';

/**
 * Automatic persisted queries are not supported: a request with the hash of a query in place of the
 * query gets the error by which clients turn to sending the query itself. Its status is 200, as
 * clients take others for a failure of the network. A hash beside a query is ignored.
 * @see https://www.apollographql.com/docs/apollo-server/performance/apq
 */
export function usePersistedQueryRefusal(): Plugin {
  return {
    onParams({ params: { query, extensions } }) {
      if (query || !extensions?.['persistedQuery']) return;
      throw createGraphQLError('PersistedQueryNotSupported', {
        extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED', http: { status: 200 } },
      });
    },
  };
}
