import { createGraphQLError, type Plugin } from 'graphql-yoga';

/**
 * Automatic persisted queries are not supported: a request with only the hash of a query gets the
 * error that makes clients send the query itself. Its status is 200, because clients treat others
 * as network failures. A hash beside a query is ignored.
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
