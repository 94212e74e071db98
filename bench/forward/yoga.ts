import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createYoga } from 'graphql-yoga';
import { schema } from '../../src/schema/index.ts';
import { answerParent } from './probe.ts';

/** The service's schema behind Yoga as it is by default: no plugins, no limits, no log. */
const server = createServer(createYoga({ schema, logging: false }));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  answerParent({
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  });
});
