/** `npm run apollo`: Apollo Gateway, with uploads. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import uploads from '@profusion/apollo-federation-upload';
import express from 'express';
import graphqlUploadExpress from 'graphql-upload/graphqlUploadExpress.js';

const MAX_FILE_BYTES = 25 * 1024 * 1024;
const MAX_FILES = 17;

class PlainDataSource extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    const { authorization } = context.headers ?? {};
    if (authorization) request.http.headers.set('authorization', authorization);
  }
}

class UploadingDataSource extends uploads.default {
  willSendRequest({ request, context }) {
    // A request with files comes without.
    request.http ??= { method: 'POST', url: this.url, headers: new Headers() };
    // Retouch takes no multipart request without it.
    request.http.headers.set('apollo-require-preflight', 'true');
    const { authorization } = context.headers ?? {};
    if (authorization) request.http.headers.set('authorization', authorization);
  }
}

const gateway = new ApolloGateway({
  supergraphSdl: await readFile(process.env.SUPERGRAPH ?? 'supergraph.graphql', 'utf8'),
  buildService: ({ name, url }) =>
    name === 'retouch' ? new UploadingDataSource({ url }) : new PlainDataSource({ url }),
});
const server = new ApolloServer({ gateway, includeStacktraceInErrorResponses: false });
await server.start();

const app = express();
app.use(
  '/graphql',
  graphqlUploadExpress({ maxFileSize: MAX_FILE_BYTES, maxFiles: MAX_FILES }),
  express.json({ limit: '2mb' }),
  expressMiddleware(server, { context: async ({ req }) => ({ headers: req.headers }) }),
);
const listening = createServer(app).listen(Number(process.env.PORT ?? 4002), '127.0.0.1');
await once(listening, 'listening');
process.stdout.write(`gateway at http://127.0.0.1:${listening.address().port}/graphql\n`);
