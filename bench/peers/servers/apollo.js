import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import GraphQLUpload from 'graphql-upload/GraphQLUpload.mjs';
import graphqlUploadExpress from 'graphql-upload/graphqlUploadExpress.mjs';
import { forward } from './forward.js';

/**
 * Apollo Server with graphql-upload, which buffers the file on disk; the resolver reads it from there
 * into memory, as `FormData` needs its length.
 */
const apollo = new ApolloServer({
  typeDefs: /* GraphQL */ `
    scalar Upload
    type Image { b64Json: String! }
    type Edit { outputImages: [Image!]! }
    input EditImageItem { file: Upload! }
    input EditImageInput { prompt: String!, n: Int!, images: [EditImageItem!]! }
    type Query { ok: Boolean! }
    type Mutation { editImage(input: EditImageInput!): Edit! }
  `,
  resolvers: {
    Upload: GraphQLUpload,
    Mutation: {
      async editImage(_, { input }) {
        const { createReadStream, mimetype } = await input.images[0].file;
        const chunks = await Array.fromAsync(createReadStream());
        return forward({ ...input, file: new Blob(chunks, { type: mimetype }) });
      },
    },
  },
});
await apollo.start();
const app = express();
app.use('/graphql', graphqlUploadExpress(), express.json(), expressMiddleware(apollo));
const server = createServer(app);
server.listen(0, '127.0.0.1', () => {
  process.send({ kind: 'ready', url: `http://127.0.0.1:${server.address().port}` });
});
