import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import possibleTypes from './possible-types.json' with { type: 'json' };

/** @param url Such as http://127.0.0.1:4000/graphql */
export function createRetouchClient(url: string) {
  // Sends files as the multipart request that Retouch reads; its header is asked for with them.
  const http = new UploadHttpLink({ uri: url, headers: { 'apollo-require-preflight': 'true' } });
  // One WebSocket, open as long as something is watched.
  const ws = new GraphQLWsLink(createClient({ url: url.replace(/^http/, 'ws') }));
  return new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      ws,
      http,
    ),
    cache: new InMemoryCache({ possibleTypes }),
  });
}
