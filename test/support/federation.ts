import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startTestApp, type TestApp } from './app.ts';
import { FEDERATION_EXAMPLE } from './federation-example.ts';
import { createGraphqlClient, type GraphqlClient } from './graphql-client.ts';
import { run, type Spawned } from './processes.ts';

export interface Gateway extends GraphqlClient {
  readonly url: string;
}

/** The service and the `users` subgraph of the example, composed, and gateways in front of both. */
export interface Federation {
  readonly app: TestApp;
  apollo(): Promise<Gateway>;
  /** @param subscriptions How it asks the service for them. */
  hive(subscriptions: 'sse' | 'ws'): Promise<Gateway>;
  stop(): Promise<void>;
}

const HIVE = 'node_modules/@graphql-hive/gateway/dist/bin.js';

/** Every part but the service is a process of its own, as the example has it. */
export async function startFederation(env: Record<string, string> = {}): Promise<Federation> {
  const app = await startTestApp(env);
  const spawned: Spawned[] = [];
  const start = (args: string[], more: Record<string, string>) => {
    const process = run(args, more, { cwd: FEDERATION_EXAMPLE });
    spawned.push(process);
    return process;
  };
  const stop = async () => {
    await Promise.all(spawned.map(({ kill }) => kill()));
    await app.stop();
  };
  try {
    const users = start(['users.js'], { PORT: '0' });
    const common = {
      RETOUCH_URL: `${app.url}/graphql/subgraph`,
      USERS_URL: await urlIn(users),
      SUPERGRAPH: join(app.dir, 'supergraph.graphql'),
    };
    const composition = start(['compose.js'], common);
    if ((await composition.exited) !== 0) throw new Error(composition.lines.join('\n'));

    return {
      app,
      async apollo() {
        return gatewayAt(await urlIn(start(['apollo-gateway.js'], { ...common, PORT: '0' })));
      },
      async hive(subscriptions) {
        // It says the port that it was told, so it cannot be told 0.
        const more = { PORT: String(await freePort()), SUBSCRIPTIONS: subscriptions };
        const args = [HIVE, 'supergraph', '--config-path', 'hive-gateway.config.js'];
        return gatewayAt(await urlIn(start(args, { ...common, ...more })));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const URL_IN_LINE = /http:\/\/127\.0\.0\.1:\d+/;

/** The address that a process says it listens on. */
async function urlIn(process: Spawned): Promise<string> {
  const line = await process.line((text) => URL_IN_LINE.test(text));
  return URL_IN_LINE.exec(line)?.[0] ?? '';
}

function gatewayAt(url: string): Gateway {
  return { url, ...createGraphqlClient(() => url) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
