import { createCommands } from '../admin/commands/create-commands.ts';
import { serveCommands } from '../admin/socket/serve-commands.ts';
import type { Config } from '../config/config.ts';
import { METRICS_SETTINGS } from '../http/metrics-server.ts';
import { openHttp } from '../http/open-http.ts';
import { checkPort } from '../http/server.ts';
import { WORKER_ROUTES } from '../http/worker-routes.ts';
import type { Log } from '../log.ts';
import { NO_METRICS } from '../telemetry/metrics.ts';
import { openPrometheus } from '../telemetry/prometheus.ts';
import { openTraces } from '../telemetry/traces.ts';
import { openApi } from './api.ts';
import { logAuthNotes } from './auth-notes.ts';
import { createExportHistory } from './export-history.ts';
import { keepLocalOwner } from './local-owner.ts';
import { serveMetrics } from './serve-metrics.ts';
import { openSharedParts } from './shared-parts.ts';
import { explainStart, withoutCloseErrors } from './start-failure.ts';
import { knownUpstreams } from './upstreams.ts';
import { openWorker } from './worker.ts';

/** How long running responses may take after the edits that they waited for have ended. */
const RESPONSES_GRACE_MS = 5_000;

export interface App {
  /** Where clients reach it; a worker's own address. */
  readonly url: string;
  /** Where Prometheus reaches it; null if metrics are off. */
  readonly metricsUrl: string | null;
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
 * Opens the parts that this process's role needs, in order; `stop` closes them in reverse.
 * @throws StartError or ConfigError when a part cannot be opened, any other error for a defect; the
 *   parts that are already open are closed then.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, log } = options;
  try {
    return await openApp(options);
  } catch (error) {
    const failure = withoutCloseErrors(error, (err) => log.error({ err }, 'shutdown failed'));
    throw explainStart(failure, config);
  }
}

async function openApp(options: AppOptions): Promise<App> {
  const { config, log } = options;
  const { role, http: httpConfig, limits } = config;
  await using opened = new AsyncDisposableStack();

  for (const warning of config.warnings) log.warn(warning);
  // Before DATA_DIR or the database is changed.
  await checkPort(httpConfig);
  if (config.metrics !== null) await checkPort(config.metrics, METRICS_SETTINGS);
  // Only models are named by clients.
  const isKnown = (label: string, value: string): boolean =>
    label !== 'model' ||
    shared.knownModels.all.has(value) ||
    config.models.allowed?.includes(value) === true;
  const prometheus =
    config.metrics && opened.adopt(await openPrometheus({ isKnown }), (it) => it.close());
  const metrics = prometheus?.metrics ?? NO_METRICS;
  const traces = opened.adopt(await openTraces(), (it) => it.flush());
  const shared = opened.adopt(await openSharedParts({ ...options, metrics, traces }), (it) =>
    it.close(),
  );
  const worker =
    role === 'api'
      ? null
      : opened.adopt(await openWorker({ shared, config, log }), (it) => it.close());
  const upstreams = worker?.upstreams ?? (await knownUpstreams(config.editsApi));
  const api =
    role === 'worker'
      ? null
      : opened.adopt(await openApi({ shared, upstreams, config, log }), (it) => it.close());
  if (api !== null) {
    await keepLocalOwner({ auth: config.auth, prisma: shared.prisma });
    await logAuthNotes({ auth: config.auth, prisma: shared.prisma, log });
  }
  // Without it, commands could not reach the embedded database, which only this process can open.
  if (config.database.kind === 'pglite') {
    const commands = createCommands({
      ...shared,
      blobs: shared.images.blobs,
      dataDir: config.dataDir,
      createExportHistory,
    });
    opened.adopt(await serveCommands({ dir: config.dataDir, commands, log }), (it) => it.close());
  }
  const scraped =
    config.metrics && prometheus
      ? opened.adopt(
          await serveMetrics({
            address: config.metrics,
            role,
            prometheus,
            shared,
            upstreams,
            circuits: worker?.upstreams ?? [],
            log,
          }),
          (it) => it.close(),
        )
      : null;
  const http = await openHttp({
    config: httpConfig,
    traces: shared.traces,
    routes: api?.routes ?? WORKER_ROUTES,
    readiness: {
      database: shared.availability.check,
      storage: shared.storageAccess.check,
      ...(worker !== null && { queue: shared.queue.isTaking }),
    },
    metrics,
    log,
  });
  const publicUrl = httpConfig.publicUrl ?? http.url;
  worker?.deliverWebhooks(publicUrl);

  const parts = opened.move();
  async function shutDown(): Promise<void> {
    // Closed last, and also when a step before fails.
    await using _closedLast = parts;
    const graceMs = limits.shutdownGraceMs;
    const refused = http.refuse();
    await worker?.drain({ graceMs });
    await refused;
    // The edits of this process have ended by now. Those of an API run elsewhere and may still end.
    await api?.drain({ graceMs: worker === null ? graceMs : 0 });
    await http.close({ graceMs: RESPONSES_GRACE_MS });
  }
  let stopped: Promise<void> | undefined;
  return {
    // PUBLIC_URL does not lead to a worker's health.
    url: api === null ? http.url : publicUrl,
    metricsUrl: scraped && `${scraped.url}/metrics`,
    stop: () => (stopped ??= shutDown()),
  };
}
