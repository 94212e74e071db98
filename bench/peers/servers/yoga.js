import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { forward } from './forward.js';

/**
 * GraphQL Yoga's own multipart requests. The file is a `File` in memory, but not of Node's class, so
 * that Node's `FormData` takes a copy only.
 */
const schema = createSchema({
  typeDefs: /* GraphQL */ `
    scalar File
    type Image { b64Json: String! }
    type Edit { outputImages: [Image!]! }
    input EditImageItem { file: File! }
    input EditImageInput { prompt: String!, n: Int!, images: [EditImageItem!]! }
    type Query { ok: Boolean! }
    type Mutation { editImage(input: EditImageInput!): Edit! }
  `,
  resolvers: {
    Mutation: {
      async editImage(_, { input }) {
        const { file } = input.images[0];
        const copy = new Blob([await file.arrayBuffer()], { type: file.type });
        return forward({ ...input, file: copy });
      },
    },
  },
});
// By default, it rejects bodies above 25 MB.
const yoga = createYoga({ schema, logging: false, maxRequestBodySize: false });
const server = createServer(yoga);
server.listen(0, '127.0.0.1', () => {
  process.send({ kind: 'ready', url: `http://127.0.0.1:${server.address().port}` });
});
