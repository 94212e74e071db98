import { once } from 'node:events';
import { createServer } from 'node:net';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { describe, expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { startTestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

/** As its users configure it, but for what it waits for before it tries again. */
interface Reconnecting {
  readonly url: string;
  readonly untilRestarted: () => Promise<void>;
  readonly onConnected: () => void;
}

const CLIENTS = {
  'graphql-sse': ({ url, untilRestarted, onConnected }: Reconnecting) =>
    createSseClient({ url, retry: untilRestarted, on: { connected: onConnected } }),
  'graphql-ws': ({ url, untilRestarted, onConnected }: Reconnecting) =>
    createWsClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryWait: untilRestarted,
      on: { connected: onConnected },
    }),
};

const QUERY =
  'subscription { editJobs { __typename ... on EditJobUpdate { editJob { prompt { text } } } } }';

describe.runIf(hasDatabase)('across a restart', () => {
  test.each(Object.entries(CLIENTS))('%s subscribes again by itself', async (_, createClient) => {
    const app = await startTestApp({ PORT: String(await freePort()) });
    onTestFinished(() => app.stop());
    const restarted = Promise.withResolvers<void>();
    const connections: { resolve: () => void; promise: Promise<void> }[] = [
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ];
    let connected = 0;
    const client = createClient({
      url: `${app.url}/graphql`,
      untilRestarted: () => restarted.promise,
      onConnected: () => connections[connected++]?.resolve(),
    });
    onTestFinished(async () => void (await client.dispose()));
    const results = client.iterate<{ editJobs: { editJob: { prompt: { text: string } } } }>({
      query: QUERY,
    });
    /** An edit, and the first that the subscriber hears of it. */
    async function edit(prompt: string): Promise<string | undefined> {
      const input = { images: [{ file: null }], prompt, wait: 60 };
      await app.upload(EDIT, { input }, { 'input.images.0.file': await png() });
      for (;;) {
        const { value, done } = await results.next();
        if (done) throw new Error('the subscription is complete');
        const text = value.data?.editJobs.editJob.prompt.text;
        if (text === prompt) return text;
      }
    }

    // Lets it subscribe: it does when it is first read.
    const first = edit('before');
    await connections[0]?.promise;
    expect(await first).toBe('before');
    await app.restart();
    restarted.resolve();
    await Promise.race([connections[1]?.promise, results.next()]);
    expect(await edit('after')).toBe('after');
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  server.close();
  await once(server, 'close');
  return address.port;
}
