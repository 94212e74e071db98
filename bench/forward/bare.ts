import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerParent } from './probe.ts';

/** The least that an HTTP server of Node does for a request: a response of two bytes. */
const server = createServer((_, res) => {
  res.end('ok');
});
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
