import { Client, cacheExchange, fetchExchange } from '@urql/core';

/** @param url Such as http://127.0.0.1:4000/graphql */
export function createRetouchClient(url: string) {
  return new Client({
    url,
    preferGetMethod: false,
    // It sends files as the multipart request that Retouch reads; this header is asked for with them.
    fetchOptions: { headers: { 'apollo-require-preflight': 'true' } },
    // By server-sent events.
    fetchSubscriptions: true,
    exchanges: [cacheExchange, fetchExchange],
  });
}
