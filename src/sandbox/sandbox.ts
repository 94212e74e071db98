import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { isLoopback } from '../config/config.ts';
import { createControlRoute } from './control-route.ts';
import { createEditsRoute } from './edits-route.ts';
import { createFaultQueue, type Faults } from './faults.ts';
import { createKeptFiles } from './kept-files.ts';
import { createSandboxModels, type ListedSandboxModel, type SandboxModels } from './models.ts';
import { createModelsRoute } from './models-route.ts';
import { createRequestListener } from './request-listener.ts';
import { createStatsKeeper, type SandboxStats } from './stats.ts';
import type { Studio } from './studio.ts';

export interface SandboxOptions {
  /** Logs ids, statuses and durations, never a prompt, an image or a key. */
  log?: Pick<Logger, 'debug' | 'error'>;
  /**
   * Minimum duration of an edit.
   * @default 1_500
   */
  delayMs?: number;
  /** @default '127.0.0.1' */
  host?: string;
  /** @default 0 for a free port */
  port?: number;
  /** The only accepted key; any by default. */
  apiKey?: string;
  /** Return one noise PNG of about this many bytes, and drop the inputs unread. */
  fixedOutput?: { bytes: number };
  /** What `GET /v1/models` lists at first. @default the models of the catalogue */
  models?: readonly ListedSandboxModel[];
}

/**
 * A stand-in for the edits API: a loopback HTTP server that speaks the wire format of `POST
 * /v1/images/edits` and `GET /v1/models`, makes real images from the real inputs and costs nothing.
 * faults.ts lists the faults that it can simulate; `/sandbox/*` controls them from other processes.
 */
export interface Sandbox {
  /** Listens; `url` ends in /v1. Returns the same if already started. */
  start(): Promise<{ url: string }>;
  /** Closes every connection and frees the port. Idempotent. */
  stop(): Promise<void>;
  stats(): SandboxStats;
  readonly faults: Faults;
  readonly models: SandboxModels;
}

export function createSandbox(options: SandboxOptions = {}): Sandbox {
  const { delayMs = 1_500, host = '127.0.0.1', port = 0, apiKey = null, log } = options;
  const faults = createFaultQueue();
  const keeper = createStatsKeeper();
  const models = createSandboxModels(options.models);
  const stats = () => keeper.snapshot(faults.size);
  let running: Promise<Running> | null = null;

  async function run(): Promise<Running> {
    const { fixedOutput } = options;
    const studio = fixedOutput ? await openFixedStudio(fixedOutput) : drawLater();
    const keptFiles = createKeptFiles();
    const stopping = new AbortController();
    const server = createServer();
    server.listen(port, host);
    await once(server, 'listening');
    const origin = originOf(server);
    server.on(
      'request',
      createRequestListener({
        editsRoute: createEditsRoute({ studio, faults, stats: keeper, keptFiles, delayMs, apiKey }),
        modelsRoute: createModelsRoute({ models, apiKey }),
        controlRoute: createControlRoute({ faults, stats, keptFiles, models }),
        origin,
        isLocal: isLoopback(host),
        stopping: stopping.signal,
        log,
      }),
    );
    return { server, stopping, url: `${origin}/v1` };
  }

  return {
    faults,
    models,
    stats,
    async start() {
      running ??= run();
      const starting = running;
      try {
        return { url: (await starting).url };
      } catch (error) {
        if (running === starting) running = null;
        throw error;
      }
    },
    async stop() {
      const current = running;
      running = null;
      if (current === null) return;
      const { server, stopping } = await current;
      stopping.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function openFixedStudio(output: { bytes: number }): Promise<Studio> {
  const { createFixedStudio } = await import('./fixed-studio.ts');
  return createFixedStudio(output);
}

/** Its first edit loads what draws, which takes 15 MB and 0.1 s: many services never draw. */
function drawLater(): Studio {
  let studio: Promise<Studio> | undefined;
  const load = () =>
    (studio ??= import('./drawing-studio.ts').then((module) => module.createDrawingStudio()));
  return {
    keepsBytes: true,
    inspect: async (files) => (await load()).inspect(files),
    open: async (...edit) => (await load()).open(...edit),
  };
}

interface Running {
  readonly server: Server;
  readonly stopping: AbortController;
  readonly url: string;
}

function originOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
