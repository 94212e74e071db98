import { parseArgs } from 'node:util';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import { median, type Row } from '../test/support/report.ts';
import { noisePng } from '../test/support/test-images.ts';
import { createLoad } from './forward/load.ts';
import { startUpstream } from './forward/upstream.ts';
import { finish, JSON_OPTION } from './results/finish.ts';
import { galleryImages } from './start/gallery.ts';
import {
  createTables,
  type Figures,
  LIMIT_BYTES,
  measureBare,
  measureEmbedded,
  measureOnServer,
} from './start/measure.ts';
import type { Started } from './start/starts.ts';

/**
 * What a start of the service takes, beside PGlite by itself, and what it keeps: on a machine that
 * gives it 512 MB, with edits of 25 MB and a gallery of 100 thumbnails. Medians of the runs. Exit
 * code 1: a bar was missed.
 *
 * `node bench/start.ts [--runs 5]`; some ten minutes, Linux only.
 */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, ...JSON_OPTION },
});
const RUNS = Number(values.runs);
const MB = 1_000_000;
const MAX_CPU_FACTOR = 2.5;
const MAX_READY_FACTOR = 2;

const upstream = await startUpstream({ delayMs: 50, imageBytes: 2 * MB });
const cluster = await startPostgresCluster();
const load = createLoad({ png: await noisePng(25 * MB) });
const work = { load, gallery: await galleryImages(100) };
const env = { EDITS_API_URL: upstream.url, EDITS_API_KEY: 'sk-bench' };
const bare: Awaited<ReturnType<typeof measureBare>>[] = [];
const embedded: Awaited<ReturnType<typeof measureEmbedded>>[] = [];
const onServer: Awaited<ReturnType<typeof measureOnServer>>[] = [];
try {
  const serverEnv = cluster && { ...env, DATABASE_URL: cluster.url };
  if (serverEnv) await createTables(serverEnv);
  for (let run = 1; run <= RUNS; run += 1) {
    bare.push(await measureBare());
    embedded.push(await measureEmbedded(env, work));
    if (serverEnv) onServer.push(await measureOnServer(serverEnv, work));
    process.stderr.write(`run ${run} of ${RUNS}\n`);
  }
} finally {
  load.close();
  await upstream.stop();
  await cluster?.stop();
}

const notes =
  onServer.length === 0 ? ['SKIPPED on Postgres: no Postgres server is installed.'] : [];
const rows = [
  ...startRows('the first start', 'first'),
  ...startRows('a later start', 'later'),
  ...memoryRows(),
  ...serverRows(),
];
await finish({ rows, notes }, values.json);

function startRows(what: string, which: 'first' | 'later'): Row[] {
  const row = (figure: 'cpuMs' | 'readyMs', says: string, atMost: number): Row => {
    const runs = {
      floor: bare.map((run) => run[which][figure]),
      service: embedded.map((run) => run[which][figure]),
    };
    const [floor, service] = [median(runs.floor), median(runs.service)];
    return {
      what: `${what}: ${says}`,
      floor: `${floor.toFixed(0)} ms`,
      service: `${service.toFixed(0)} ms`,
      runs,
      bar: { value: service / floor, atMost, unit: 'x' },
    };
  };
  return [
    row('cpuMs', 'processor time until it is ready', MAX_CPU_FACTOR),
    row('readyMs', 'time until it is ready', MAX_READY_FACTOR),
  ];
}

function memoryRows(): Row[] {
  const of = (which: 'first' | 'later') => embedded.map((run) => run[which]);
  const floor = (which: 'first' | 'later') =>
    megabytes(median(bare.map((run) => run[which].peakBytes)));
  const both = [...of('first'), ...of('later')];
  const how = embedded.every(({ isLimited }) => isLimited) ? 'in a memory cgroup' : 'sampled';
  const kills = embedded.reduce((sum, run) => sum + run.kills, 0);
  return [
    { ...peakRow('the first start: peak', of('first'), 'peakBytes', 420), floor: floor('first') },
    { ...peakRow('a later start: peak', of('later'), 'peakBytes', 360), floor: floor('later') },
    peakRow('at rest after it', of('later'), 'freshBytes'),
    peakRow('  after edits and thumbnails', of('later'), 'warmBytes'),
    peakRow('  and half a minute without requests', of('later'), 'idleBytes', 280),
    peakRow('edits of 25 MB and 100 thumbnails: peak', both, 'loadPeakBytes', LIMIT_BYTES / MB),
    {
      what: `  processes that the limit has killed, ${how}`,
      service: `${kills}`,
      bar: { value: kills, atMost: 0, unit: '' },
    },
  ];
}

function serverRows(): Row[] {
  if (onServer.length === 0) return [];
  const all = onServer.map((run) => run.all);
  const api = onServer.map((run) => run.api);
  return [
    peakRow('with a Postgres server: at rest', all, 'freshBytes', 180),
    peakRow('  after edits and thumbnails', all, 'warmBytes'),
    peakRow('  edits of 25 MB and 100 thumbnails: peak', all, 'loadPeakBytes'),
    peakRow('with a Postgres server, ROLE=api: at rest', api, 'freshBytes', 160),
    peakRow('  after thumbnails', api, 'warmBytes'),
    peakRow('  100 thumbnails: peak', api, 'loadPeakBytes'),
    { what: 'processor time of a start: all, api', service: cpuOf(all, api) },
  ];
}

function cpuOf(...groups: readonly (readonly Pick<Started, 'cpuMs'>[])[]): string {
  return groups.map((runs) => `${median(runs.map(({ cpuMs }) => cpuMs)).toFixed(0)} ms`).join(', ');
}

function peakRow(
  what: string,
  runs: readonly Figures[],
  figure: Exclude<keyof Figures, 'readyMs' | 'cpuMs'>,
  atMost?: number,
): Row {
  const each = runs.map((run) => run[figure]);
  const bytes = median(each);
  return {
    what,
    service: megabytes(bytes),
    runs: { service: each.map((one) => one / MB) },
    ...(atMost !== undefined && { bar: { value: bytes / MB, atMost, unit: 'MB' } }),
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(0)} MB`;
}
