/** `npm run users`: the rest of a federation, which knows the users' names. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';

const typeDefs = parse(await readFile(join(import.meta.dirname, 'users.graphql'), 'utf8'));

/** Without authentication Retouch has one user, whose id is `local`. */
const USERS = [
  { id: 'local', name: 'Ada' },
  { id: 'somebody-else', name: 'Grace' },
  { id: 'nobody', name: 'Alan' },
];

const resolvers = {
  Query: {
    me: () => USERS[0],
    users(_, { first, after }) {
      const start = after ? USERS.findIndex(({ id }) => id === after) + 1 : 0;
      const page = USERS.slice(start, start + first);
      return {
        edges: page.map((node) => ({ cursor: node.id, node })),
        pageInfo: {
          hasNextPage: start + first < USERS.length,
          hasPreviousPage: start > 0,
          startCursor: page.at(0)?.id ?? null,
          endCursor: page.at(-1)?.id ?? null,
        },
      };
    },
  },
  Node: { __resolveType: () => 'User' },
  User: { __resolveReference: ({ id }) => USERS.find((user) => user.id === id) ?? null },
};

const server = new ApolloServer({ schema: buildSubgraphSchema({ typeDefs, resolvers }) });
const { url } = await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(process.env.PORT ?? 4001) },
});
process.stdout.write(`users at ${url}\n`);
