import { serveParent } from './probe.ts';

/** The least that an HTTP server of Node does for a request: a response of two bytes. */
await serveParent((_, res) => {
  res.end('ok');
});
