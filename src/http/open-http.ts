import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Traces } from '../telemetry/traces.ts';
import { createHealth } from './rest/health.ts';
import { createHttpServer, type Routes } from './server.ts';

export interface OpenHttp {
  /** This process's own address. */
  readonly url: string;
  /**
   * Not ready from now on, and accepts no more connections. Resolves, after a second at most, when no
   * more requests are served but the running ones.
   */
  refuse(): Promise<void>;
  /** Waits at most `graceMs` for running requests, then aborts them. */
  close(options: { graceMs: number }): Promise<void>;
}

/**
 * @param options.readiness What must work before this process is ready, by name.
 * @throws StartError when the address cannot be listened on.
 */
export async function openHttp(options: {
  config: Config['http'];
  routes: Routes;
  traces: Traces;
  readiness: Parameters<typeof createHealth>[0]['checks'];
  metrics: Metrics;
  log: Log;
}): Promise<OpenHttp> {
  const { config, traces, routes, readiness, metrics, log } = options;
  const { host, port, prefix } = config;
  const health = createHealth({ checks: readiness });
  const server = createHttpServer({
    host,
    port,
    prefix,
    routes,
    health,
    traces,
    metrics,
    log,
  });
  const { url } = await server.start();
  return {
    url,
    refuse() {
      health.stopping();
      return server.refuse();
    },
    close: server.stop,
  };
}
