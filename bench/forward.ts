import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ENVIRONMENT, NODE_FLAGS } from '../src/app/node-options.ts';
import { peakRssBytesDuring, rssBytesOf } from '../test/support/process-stats.ts';
import { median, type Row } from '../test/support/report.ts';
import { noisePng } from '../test/support/test-images.ts';
import { createLoad, type Load } from './forward/load.ts';
import { type Measured, startMeasured } from './forward/measured.ts';
import { startUpstream, type Upstream } from './forward/upstream.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * What forwarding images costs beside the least that does the same job, and whether memory stays
 * flat. Floor, service, upstream and this load are four processes; floor and service are measured
 * alternately, each at rest before the other's turn. Medians of the runs. Exit code 1: a bar was
 * missed.
 *
 * `node bench/forward.ts [--runs 5] [--only at-once|one-by-one|answers] [--flag=--a-flag-for-node]`
 *
 * The service is started as `npm start` does it, with the flags given here besides.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
    flag: { type: 'string', multiple: true, default: [] },
    ...JSON_OPTION,
  },
});
const RUNS = Number(values.runs);

const MB = 1_000_000;
const INPUT_BYTES = 25 * MB;
const OUTPUT_BYTES = 2 * MB;
/** Ten of them are 40 MB in base64. */
const LARGE_OUTPUT_BYTES = 3 * MB;
const DELAY_MS = 50;
const MAX_RATIO = { alone: 1.15, atOnce: 1.1 };
const MAX_GROWTH_MB = 64;
const MAX_TOTAL_MB = 440;
const MAX_STALL_MS = 40;

const AT_ONCE = { edits: 16, concurrency: 16, n: 1 };
const ONE_BY_ONE = { edits: 4, concurrency: 1, n: 1 };
const ANSWERS = { edits: 8, concurrency: 8, n: 10 };

interface Bench {
  readonly floor: Measured;
  readonly service: Measured;
  readonly load: Load;
  /** Of the service at rest after a few edits one at a time, before anything ran at once. */
  readonly idleBytes: number;
}

const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
const rows: Row[] = [];
try {
  const png = await noisePng(INPUT_BYTES);
  const smallPng = await noisePng(100_000);
  if (values.only !== 'answers') {
    await withBench('forward', OUTPUT_BYTES, png, async (bench) => {
      // What 16 at once leave in memory is not growth of a single edit, so that comes first.
      if (values.only !== 'at-once') await measureOneByOne(bench);
      if (values.only !== 'one-by-one') await measureAtOnce(bench);
    });
  }
  if (values.only === undefined || values.only === 'answers') {
    await withBench('answers', LARGE_OUTPUT_BYTES, smallPng, measureAnswers);
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}
await finish({ rows }, values.json);

async function withBench(
  name: string,
  imageBytes: number,
  png: Buffer,
  measure: (bench: Bench) => Promise<void>,
): Promise<void> {
  const load = createLoad({ png });
  const started: (Upstream | Measured)[] = [];
  const keep = <Started extends Upstream | Measured>(part: Started): Started => {
    started.unshift(part);
    return part;
  };
  try {
    const upstream = keep(await startUpstream({ delayMs: DELAY_MS, imageBytes }));
    const floorDir = join(dir, name, 'floor');
    await mkdir(floorDir, { recursive: true });
    const floor = keep(await startMeasured('floor', { args: [floorDir, upstream.url] }));
    const env = {
      PORT: '0',
      DATA_DIR: join(dir, name, 'service'),
      EDITS_API_URL: upstream.url,
      EDITS_API_KEY: 'sk-bench',
      LOG_LEVEL: 'warn',
    };
    const flags = [...NODE_FLAGS, ...values.flag];
    const options = { flags, environment: ENVIRONMENT, args: [JSON.stringify(env)] };
    // The first start creates the database and leaves its garbage behind: growth could hide in it.
    const first = await startMeasured('service', options);
    await first.untilIdle();
    const firstBytes = await rssBytesOf(first.pid);
    await first.stop();
    const service = keep(await startMeasured('service', options));
    await service.untilIdle();
    const freshBytes = await rssBytesOf(service.pid);
    for (const { url } of [floor, service]) await load.run(url, ONE_BY_ONE);
    await service.untilIdle();
    const idleBytes = await rssBytesOf(service.pid);
    rows.push(
      { what: `${name}: memory after the very first start`, service: megabytes(firstBytes) },
      { what: `${name}: memory after a later start`, service: megabytes(freshBytes) },
      {
        what: `${name}: memory at rest, warm`,
        floor: megabytes(await rssBytesOf(floor.pid)),
        service: megabytes(idleBytes),
      },
    );
    await measure({ floor, service, load, idleBytes });
  } finally {
    load.close();
    for (const part of started) await part.stop();
  }
}

async function measureOneByOne(bench: Bench): Promise<void> {
  const times = await alternate(bench, async ({ url, name }) => {
    const ms = (await bench.load.run(url, ONE_BY_ONE)) / ONE_BY_ONE.edits;
    note(`one at a time, ${name}: ${ms.toFixed(0)} ms`);
    return ms;
  });
  rows.push(
    timeRow('an edit of 25 MB alone', times, MAX_RATIO.alone),
    ...memoryRows(times, bench.idleBytes),
  );
}

async function measureAtOnce(bench: Bench): Promise<void> {
  const times = await alternate(bench, async ({ url, name }) => {
    const ms = await bench.load.run(url, AT_ONCE);
    note(`16 at once, ${name}: ${ms.toFixed(0)} ms`);
    return ms;
  });
  rows.push(
    timeRow('16 edits of 25 MB at once', times, MAX_RATIO.atOnce),
    ...memoryRows(times, bench.idleBytes),
  );
}

async function measureAnswers({ floor, service, load, idleBytes }: Bench): Promise<void> {
  const measure = async ({ pid, url, stallDuring, untilIdle }: Measured) => {
    let stallMs = 0;
    const peakBytes = await peakRssBytesDuring(pid, async () => {
      stallMs = await stallDuring(() => load.run(url, ANSWERS));
    });
    await untilIdle();
    return { stallMs, peakBytes };
  };
  const floorIdleBytes = await rssBytesOf(floor.pid);
  const ofFloor = await measure(floor);
  const ofService: Awaited<ReturnType<typeof measure>>[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const result = await measure(service);
    note(
      `8 answers of 40 MB: stall ${result.stallMs.toFixed(0)} ms, peak ${megabytes(result.peakBytes)}`,
    );
    ofService.push(result);
  }
  const stallMs = median(ofService.map((result) => result.stallMs));
  rows.push(
    growthRow('8 answers of 40 MB at once: growth of memory', {
      floor: [ofFloor.peakBytes - floorIdleBytes],
      service: ofService.map(({ peakBytes }) => peakBytes - idleBytes),
    }),
    {
      what: '  longest stall of the event loop',
      floor: `${ofFloor.stallMs.toFixed(0)} ms`,
      service: `${stallMs.toFixed(0)} ms`,
      runs: { service: ofService.map((result) => result.stallMs) },
      bar: { value: stallMs, atMost: MAX_STALL_MS, unit: 'ms' },
    },
  );
}

/** Of each run. */
interface Figures {
  readonly ms: number[];
  readonly peakBytes: number[];
  /** At rest before the run. */
  readonly restBytes: number[];
}

interface Both<Figure> {
  readonly floor: Figure;
  readonly service: Figure;
}

/** Each run measures both, and the one that begins changes, so that a slow spell hits both. */
async function alternate(
  { floor, service }: Bench,
  measure: (measured: Measured) => Promise<number>,
): Promise<Both<Figures>> {
  const noFigures = (): Figures => ({ ms: [], peakBytes: [], restBytes: [] });
  const figures = { floor: noFigures(), service: noFigures() };
  for (let run = 0; run < RUNS; run += 1) {
    const order = run % 2 === 0 ? (['floor', 'service'] as const) : (['service', 'floor'] as const);
    for (const name of order) {
      const measured = name === 'floor' ? floor : service;
      figures[name].restBytes.push(await rssBytesOf(measured.pid));
      const peakBytes = await peakRssBytesDuring(measured.pid, async () => {
        figures[name].ms.push(await measure(measured));
      });
      figures[name].peakBytes.push(peakBytes);
      await measured.untilIdle();
    }
  }
  return figures;
}

function timeRow(what: string, { floor, service }: Both<Figures>, atMost: number): Row {
  const floorMs = median(floor.ms);
  const serviceMs = median(service.ms);
  return {
    what,
    floor: `${floorMs.toFixed(0)} ms`,
    service: `${serviceMs.toFixed(0)} ms`,
    runs: { floor: floor.ms, service: service.ms },
    bar: { value: serviceMs / floorMs, atMost, unit: 'x' },
  };
}

/** The service's growth is that over its rest before anything ran at once: what stays counts. */
function memoryRows({ floor, service }: Both<Figures>, idleBytes: number): Row[] {
  const floorRestBytes = floor.restBytes[0] ?? 0;
  return [
    growthRow('  growth of memory over rest', {
      floor: floor.peakBytes.map((bytes) => bytes - floorRestBytes),
      service: service.peakBytes.map((bytes) => bytes - idleBytes),
    }),
    megabytesRow('  memory in total', floor.peakBytes, service.peakBytes, MAX_TOTAL_MB),
  ];
}

function growthRow(what: string, { floor, service }: Both<number[]>): Row {
  return megabytesRow(what, floor, service, MAX_GROWTH_MB);
}

function megabytesRow(what: string, floor: number[], service: number[], atMost: number): Row {
  const inMb = (all: number[]) => all.map((bytes) => bytes / MB);
  return {
    what,
    floor: megabytes(median(floor)),
    service: megabytes(median(service)),
    runs: { floor: inMb(floor), service: inMb(service) },
    bar: { value: median(service) / MB, atMost, unit: 'MB' },
  };
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(0)} MB`;
}
