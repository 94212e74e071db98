import { join } from 'node:path';
import { ENVIRONMENT, NODE_FLAGS } from '../../src/app/node-options.ts';
import { startMeasured } from '../forward/measured.ts';
import { type Api, GRAPHQL_API, openaiApi, RETOUCH_API } from './client.ts';
import { startPeer, startPortkey } from './start-peer.ts';

/** What is asked for the same edit. */
export interface Target {
  readonly name: string;
  readonly url: string;
  readonly api: Api;
  /** Null: the client calls the upstream itself. */
  readonly pid: number | null;
  stop(): Promise<void>;
}

/** What each is and does not do, for the results. */
export const ABOUT = [
  'All targets are asked for the same edit by the same client in one run: one image of 25 MB, one output image of 2 MB, which returns to the client in base64. The upstream is another process and responds after 50 ms. Each response is checked, and that the upstream got each image whole.',
  '- **A direct call** is what the rest adds to. The client needs the upstream’s key.',
  '- **Retouch** stores both images and the edit’s record, synced to disk, before it responds, so that an edit survives a kill; embedded database.',
  '- **Yoga’s multipart with `File`** holds the image in memory and forwards it with `fetch` and `FormData`. It has no storage, history, queue, retries, cost, limits or checks of images.',
  '- **Apollo Server with graphql-upload** buffers the image in a temporary file and forwards it in the same way. It has none of these either, and deletes the file.',
  '- **Portkey’s gateway** (`@portkey-ai/gateway`) forwards a parsed form. It has retries, fallbacks and other upstreams; it has no storage, history, durable queue or GraphQL. Its release 1.15.2 returns 500 for every edit, because it sets headers on a response of `fetch`, which are immutable; a shim of ours (`bench/peers/servers/portkey.js`) makes them mutable, without touching the body.',
  'Growth of memory is that of the target’s process over its rest after a few edits one at a time. Retouch runs with the flags of `npm start`, the others with Node’s defaults.',
] as const;

/** In the order of the table. `opened` stops each. */
export async function startTargets(options: {
  upstreamUrl: string;
  dir: string;
  opened: AsyncDisposableStack;
}): Promise<Target[]> {
  const { upstreamUrl, dir, opened } = options;
  const keep = <Started extends { stop(): Promise<void> }>(started: Started): Started => {
    opened.defer(() => started.stop());
    return started;
  };
  const service = keep(await startService(upstreamUrl, dir));
  const yoga = keep(await startPeer('yoga', upstreamUrl));
  const apollo = keep(await startPeer('apollo', upstreamUrl));
  const portkey = keep(await startPortkey());
  const portkeyHeaders = {
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': upstreamUrl,
  };
  const direct = { url: upstreamUrl, pid: null, stop: async () => {} };
  return [
    { ...direct, name: 'a direct call', api: openaiApi('/images/edits') },
    { ...service, name: 'Retouch', api: RETOUCH_API },
    { ...yoga, name: 'Yoga, multipart with File', api: GRAPHQL_API },
    { ...apollo, name: 'Apollo Server, graphql-upload', api: GRAPHQL_API },
    {
      ...portkey,
      name: 'Portkey’s gateway, with a shim',
      api: openaiApi('/v1/images/edits', portkeyHeaders),
    },
  ];
}

async function startService(upstreamUrl: string, dir: string) {
  const env = {
    PORT: '0',
    DATA_DIR: join(dir, 'service'),
    EDITS_API_URL: upstreamUrl,
    EDITS_API_KEY: 'sk-bench',
    LOG_LEVEL: 'error',
  };
  const options = { flags: NODE_FLAGS, environment: ENVIRONMENT, args: [JSON.stringify(env)] };
  // The first start creates the database and leaves its garbage behind: growth could hide in it.
  const first = await startMeasured('service', options);
  await first.untilIdle();
  await first.stop();
  return startMeasured('service', options);
}
