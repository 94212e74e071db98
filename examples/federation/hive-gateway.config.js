/** `npm run hive`: Hive Gateway, with uploads and subscriptions. */
import { defineConfig } from '@graphql-hive/gateway';

/** How subscriptions go on to Retouch: by WebSocket, or (default) as server-sent events. */
const byWebSocket = { subscriptions: { ws: { endpoint: '/graphql/subgraph' } } };

export const gatewayConfig = defineConfig({
  supergraph: process.env.SUPERGRAPH ?? './supergraph.graphql',
  host: '127.0.0.1',
  port: Number(process.env.PORT ?? 4003),
  multipart: true,
  // Retouch cannot tell any more: the header below is on every request.
  csrfPrevention: { requestHeaders: ['apollo-require-preflight', 'graphql-require-preflight'] },
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({
      authorization: request.headers.get('authorization'),
      // Retouch takes no multipart request without it.
      'apollo-require-preflight': 'true',
    }),
  },
  ...(process.env.SUBSCRIPTIONS === 'ws' && {
    transportEntries: { retouch: { options: byWebSocket } },
  }),
});
