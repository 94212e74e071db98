import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, isLoopback } from '../config/config.ts';
import { countOpenEdits } from '../edits/open-counts.ts';
import type { KnownUpstream } from '../edits-api/upstreams.ts';
import { openMetricsServer } from '../http/metrics-server.ts';
import type { Log } from '../log.ts';
import { createCachedSamples } from '../telemetry/cached-samples.ts';
import { type Sample, sample } from '../telemetry/metrics.ts';
import type { Prometheus } from '../telemetry/prometheus.ts';
import { DELIVER_WEBHOOK } from '../webhooks/delivery-queue.ts';
import type { SharedParts } from './shared-parts.ts';

const PACKAGE = join(import.meta.dirname, '../../package.json');

/**
 * Serves the metrics of this process, and what the database says of all.
 * @param options.circuits The upstreams that this process calls.
 * @throws StartError if the address is not free.
 */
export async function serveMetrics(options: {
  address: NonNullable<Config['metrics']>;
  role: Config['role'];
  prometheus: Prometheus;
  shared: Pick<SharedParts, 'prisma' | 'queue' | 'edits'>;
  upstreams: readonly KnownUpstream[];
  circuits: readonly KnownUpstream[];
  log: Log;
}): Promise<{ url: string; close(): Promise<void> }> {
  const { address, role, prometheus, shared, upstreams, circuits, log } = options;
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  const readDatabase = createCachedSamples({
    read: () => readShared(shared, upstreams),
    onError: (error) => log.warn({ err: error }, 'could not read metrics from the database'),
  });
  const server = await openMetricsServer({
    ...address,
    contentType: prometheus.contentType,
    async render() {
      const fromDatabase = await readDatabase();
      return prometheus.render([
        sample('retouch_build_info', { version, role }, 1),
        sample('retouch_database_up', {}, fromDatabase === null ? 0 : 1),
        ...circuits.map((one) =>
          sample('retouch_upstream_circuit_open', { upstream: one.name }, one.isClosed() ? 0 : 1),
        ),
        ...(fromDatabase ?? []),
      ]);
    },
    onError: (error) => log.error({ err: error }, 'could not render metrics'),
  });
  const isPrivate = isLoopback(address.host);
  log.info(
    { url: `${server.url}/metrics` },
    isPrivate ? 'serving metrics' : 'serving metrics to whoever can reach METRICS_HOST',
  );
  return server;
}

/** The same in all processes on one database. */
async function readShared(
  { prisma, queue, edits }: Pick<SharedParts, 'prisma' | 'queue' | 'edits'>,
  upstreams: readonly KnownUpstream[],
): Promise<readonly Sample[]> {
  const [open, queues, pauses] = await Promise.all([
    countOpenEdits(prisma),
    queue.stats(),
    edits.pauses.list(),
  ]);
  const paused = new Set(pauses.map(({ name }) => name));
  const webhooks = queues.find(({ name }) => name === DELIVER_WEBHOOK.name);
  return [
    sample('retouch_edits_open', { status: 'QUEUED' }, open.queued),
    sample('retouch_edits_open', { status: 'RUNNING' }, open.running),
    sample('retouch_edits_oldest_queued_age_seconds', {}, open.oldestQueuedSeconds),
    sample('retouch_unknown_outcomes', {}, open.unknownOutcomes),
    ...queues.flatMap(({ name, ready, deferred, active, oldestReadySeconds }) => [
      sample('retouch_queue_ready_jobs', { queue: name }, ready),
      sample('retouch_queue_deferred_jobs', { queue: name }, deferred),
      sample('retouch_queue_active_jobs', { queue: name }, active),
      sample('retouch_queue_oldest_ready_age_seconds', { queue: name }, oldestReadySeconds),
    ]),
    // Each pending delivery has one queue job.
    ...(webhooks === undefined
      ? []
      : [sample('retouch_webhook_deliveries_pending', {}, webhooks.ready + webhooks.deferred)]),
    ...upstreams.map(({ name }) =>
      sample('retouch_upstream_paused', { upstream: name }, paused.has(name) ? 1 : 0),
    ),
  ];
}
