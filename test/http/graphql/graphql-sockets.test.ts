import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraphQLError } from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { createAccessWatch } from '../../../src/auth/access-watch.ts';
import type { Authenticator } from '../../../src/auth/authenticator.ts';
import { NO_CREDENTIALS } from '../../../src/auth/credentials.ts';
import { LOCAL_VIEWER } from '../../../src/auth/viewer.ts';
import type { Graphql } from '../../../src/http/graphql/graphql.ts';
import { createGraphqlSockets } from '../../../src/http/graphql/graphql-sockets.ts';
import { createStreamPlaces } from '../../../src/http/stream-places.ts';
import { createLog } from '../../../src/log.ts';

async function serveSockets(pingMs: number) {
  const schema = createSchema({ typeDefs: 'type Query { a: Int }' });
  const graphql = { yoga: createYoga({ schema }), maskError: () => new GraphQLError('masked') };
  const authenticator: Authenticator = {
    isOn: false,
    authenticate: async () => ({ viewer: LOCAL_VIEWER, expiresAt: null }),
  };
  const sockets = createGraphqlSockets({
    graphql: graphql as unknown as Graphql,
    authenticator,
    accessWatch: createAccessWatch({ authenticator }),
    requestLimits: { take: async () => {} },
    streamPlaces: createStreamPlaces(),
    pingMs,
  });
  const server = createServer();
  const log = createLog({ level: 'silent' });
  server.on('upgrade', (req, socket, head) =>
    sockets.accept(req, socket, head, {
      credentials: NO_CREDENTIALS,
      requestId: 'one',
      baseUrl: 'http://localhost',
      log,
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    await sockets.stop();
    server.close();
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  return {
    sockets,
    async connect(options: WebSocket.ClientOptions = {}) {
      const socket = new WebSocket(url, 'graphql-transport-ws', options);
      await once(socket, 'open');
      socket.send('{"type":"connection_init"}');
      await once(socket, 'message');
      return socket;
    },
  };
}

test('a client that answers no ping is cut off, and one that does stays', async () => {
  const { connect } = await serveSockets(50);
  const [dead, alive] = await Promise.all([connect({ autoPong: false }), connect()]);
  let pings = 0;
  alive.on('ping', () => {
    pings += 1;
  });
  const [code] = await once(dead, 'close');
  expect(code).toBe(1006);
  while (pings < 5) await once(alive, 'ping');
  expect(alive.readyState).toBe(WebSocket.OPEN);
});

test('a stop closes all so that they come back, those that do not answer as well', async () => {
  const { connect, sockets } = await serveSockets(60_000);
  const [polite, deaf] = await Promise.all([connect(), connect()]);
  deaf.pause();
  const closed = once(polite, 'close');
  await sockets.stop();
  expect((await closed)[0]).toBe(1001);
  deaf.resume();
  await once(deaf, 'close');
});
