import type { Config } from '../config/config.ts';
import { createHealth } from '../http/rest/health.ts';
import { checkPort, createHttpServer } from '../http/server.ts';
import { WORKER_ROUTES } from '../http/worker-routes.ts';
import type { Log } from '../log.ts';
import { type ApiHalf, createApi } from './api.ts';
import { type Foundation, openFoundation, type Stops } from './shared-parts.ts';
import { explainStart } from './start-failure.ts';
import { knownUpstreams } from './upstreams.ts';
import { startWorker, type WorkerHalf } from './worker.ts';

/** How long a stop waits for responses under way after the edits that they wait for have ended. */
const RESPONSES_GRACE_MS = 5_000;

export interface App {
  /** Where clients reach it; a worker's own address. */
  readonly url: string;
  /**
   * Takes no new work, waits `shutdownGraceMs` for running edits, then aborts the rest. Idempotent.
   */
  stop(): Promise<void>;
}

interface AppOptions {
  readonly config: Config;
  readonly log: Log;
  /** Called when the embedded database has ended itself: the app must be stopped and started again. */
  readonly onDatabaseEnd?: () => void;
}

/**
 * Builds the parts that this process's role needs, starts them in order, and stops them in reverse.
 * @throws StartError or ConfigError when a part cannot start, whatever a defect throws; the parts
 *   already started are stopped then.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { log } = options;
  const stops: Stops = [];
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= runAll(stops));
  try {
    return { url: await start(options, stops), stop };
  } catch (error) {
    await stop().catch((failure) => log.error({ err: failure }, 'shutdown failed'));
    throw explainStart(error, options.config);
  }
}

async function runAll(stops: Stops): Promise<void> {
  for (const stop of stops) await stop();
}

async function start(options: AppOptions, stops: Stops): Promise<string> {
  const { config, log } = options;
  const { role, http, limits } = config;
  for (const warning of config.warnings) log.warn(warning);
  // Before anything is made in DATA_DIR or the database.
  await checkPort(http);
  const foundation = await openFoundation({ ...options, stops });
  const parts = { foundation, config, log, stops };
  const worker = role === 'api' ? null : await startWorker(parts);
  const upstreams = worker?.upstreams ?? (await knownUpstreams(config.editsApi));
  const api = role === 'worker' ? null : await createApi({ ...parts, upstreams });

  const health = createHealth({ checks: readinessChecks(foundation, worker) });
  const routes = api?.routes ?? WORKER_ROUTES;
  const { host, port, prefix } = http;
  const server = createHttpServer({ host, port, prefix, routes, health, log });
  const { url } = await server.start();
  stops.unshift(
    () => health.stopping(),
    () => server.refuse(),
    () => finishWork(worker, api, limits.shutdownGraceMs),
    () => server.stop({ graceMs: RESPONSES_GRACE_MS }),
  );
  worker?.deliverWebhooks(http.publicUrl ?? url);
  // Nobody is to be sent to PUBLIC_URL for a worker's health.
  return api === null ? url : (http.publicUrl ?? url);
}

/** What must answer before this process can do its part. */
function readinessChecks(foundation: Foundation, worker: WorkerHalf | null) {
  const { availability, storageAccess, queue } = foundation;
  return {
    database: availability.check,
    storage: storageAccess.check,
    ...(worker !== null && { queue: queue.isTaking }),
  };
}

async function finishWork(worker: WorkerHalf | null, api: ApiHalf | null, graceMs: number) {
  await worker?.drain({ graceMs });
  // Whose edits ran here has waited long enough; those of an API run elsewhere, and may yet end.
  await api?.drain({ graceMs: worker === null ? graceMs : 0 });
}
