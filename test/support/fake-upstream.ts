import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Answers one POST by hand. `origin` is the server's own. */
type Reply = (
  res: ServerResponse,
  call: { readonly origin: string; readonly req: IncomingMessage },
) => unknown;

/** An edits API on 127.0.0.1 whose every byte a test decides. */
export interface FakeUpstream {
  /** For EDITS_API_URL. */
  readonly url: string;
  /** How many edits were sent, and so paid. */
  readonly posts: number;
  /** How many images were fetched. */
  readonly gets: number;
  /** How often it was asked for its models. */
  readonly listings: number;
  /** Of the next POSTs. */
  reply: Reply;
  /** Of GETs of images. */
  serve: Reply;
  /** Of GETs of its models. @default 404 */
  list: Reply;
  close(): Promise<void>;
}

export async function startFakeUpstream(): Promise<FakeUpstream> {
  const counts = { reply: 0, serve: 0, list: 0 };
  const refuse: Reply = (res) => res.writeHead(404).end();
  const server = createServer(async (req, res) => {
    const kind = req.method === 'POST' ? 'reply' : req.url === '/v1/models' ? 'list' : 'serve';
    counts[kind] += 1;
    await buffer(req);
    await fake[kind](res, { origin, req });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fake: FakeUpstream = {
    url: `${origin}/v1`,
    get posts() {
      return counts.reply;
    },
    get gets() {
      return counts.serve;
    },
    get listings() {
      return counts.list;
    },
    reply: refuse,
    serve: refuse,
    list: refuse,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return fake;
}
