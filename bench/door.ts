import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ENVIRONMENT, NODE_FLAGS } from '../src/app/node-options.ts';
import { cpuMsOf, peakRssBytesDuring, rssBytesOf } from '../test/support/process-stats.ts';
import { median, type Row } from '../test/support/report.ts';
import { type Api, type FromClient, startClient } from './door/client-process.ts';
import { type Measured, startMeasured } from './forward/measured.ts';
import { startUpstream } from './forward/upstream.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * What the OpenAI-compatible API costs beside `editImage`, which does the same: in the table, that is
 * the floor. One edit at a time, alternately by each, from one client to one service; see
 * `door/client.ts`. Exit code 1: a bar was missed.
 *
 * - `inputs`: one edit of 16 images of 25 MB. The way in, to files, blobs and the upstream.
 * - `outputs`: one edit of 10 output images of 8 MB, as PNGs of 4K size may have. The OpenAI API
 *   returns all of them in one response of 107 MB, `editImage` their URLs. So its whole time is that
 *   of more work, and has no bar: the first byte shows whether images are encoded before the response
 *   begins. Both receive those images from the upstream, whose memory `bench/forward.ts` judges. The
 *   response alone is that of a repeat, which runs no edit, to a client that reads late.
 *
 * `node bench/door.ts [--runs 5] [--only inputs|outputs] [--flag=--a-flag-for-node]`; wants an idle
 * machine.
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
const MAX_GROWTH_MB = 64;
const MAX_RATIO = 1.1;
const DELAY_MS = 50;
const WARM_UP_EDITS = 4;

const CASES = {
  inputs: { images: 16, inputBytes: 25 * MB, n: 1, outputBytes: 2 * MB },
  outputs: { images: 1, inputBytes: MB / 10, n: 10, outputBytes: 8 * MB },
} as const;

interface Run extends FromClient {
  /** Processor time of the service. Other work on the machine changes it less than the time. */
  readonly cpuMs: number;
  readonly growthBytes: number;
}

const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
const rows: Row[] = [];
try {
  for (const name of ['inputs', 'outputs'] as const) {
    if (values.only === undefined || values.only === name) rows.push(...(await measure(name)));
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}
await finish({ rows }, values.json);

async function measure(name: keyof typeof CASES): Promise<Row[]> {
  const { images, inputBytes, n, outputBytes } = CASES[name];
  const isOfInputs = name === 'inputs';
  await using parts = new AsyncDisposableStack();
  const upstream = await startUpstream({ delayMs: DELAY_MS, imageBytes: outputBytes });
  parts.defer(() => upstream.stop());
  const service = await startService(name, upstream.url);
  parts.defer(() => service.stop());
  const client = await startClient({ url: service.url, imageBytes: inputBytes });
  parts.defer(() => client.stop());

  // Code that was never run takes memory of its own. One image each time, so that no growth hides.
  for (let edit = 0; edit < WARM_UP_EDITS; edit += 1) {
    for (const api of ['openai', 'graphql'] as const) await client.edit({ api, images: 1, n: 1 });
  }
  await service.untilIdle();
  const idleBytes = await rssBytesOf(service.pid);

  const runs: Record<Api, Run[]> = { openai: [], graphql: [] };
  const responseGrowths: number[] = [];
  // Which begins changes, so that a slow spell hits both. The first round is warm-up.
  for (let round = 0; round <= RUNS; round += 1) {
    const order =
      round % 2 === 0 ? (['openai', 'graphql'] as const) : (['graphql', 'openai'] as const);
    for (const api of order) {
      const run = await runOf(service, idleBytes, () => client.edit({ api, images, n }));
      note(`${name}, ${api}: ${textOf(run)}${round === 0 ? ' (warm-up)' : ''}`);
      if (round > 0) runs[api].push(run);
      if (isOfInputs || api === 'graphql') continue;
      // Over the rest just before it: after edits of large images, that is more than at first.
      const restBytes = await rssBytesOf(service.pid);
      const again = await runOf(service, restBytes, () => client.again());
      note(`${name}, the response again: ${textOf(again)}`);
      responseGrowths.push(again.growthBytes);
    }
  }
  return [
    { what: `${name}: memory at rest, warm`, service: megabytes(idleBytes) },
    growthRow(runs, isOfInputs),
    ...(isOfInputs ? [] : [responseRow(responseGrowths)]),
    timeRow('  time', 'ms', runs, isOfInputs),
    timeRow('  time to the first byte of the response', 'firstByteMs', runs, true),
    timeRow('  processor time', 'cpuMs', runs, false),
  ];
}

async function startService(name: string, upstreamUrl: string): Promise<Measured> {
  const env = {
    PORT: '0',
    DATA_DIR: join(dir, name),
    EDITS_API_URL: upstreamUrl,
    EDITS_API_KEY: 'sk-bench',
    LOG_LEVEL: 'warn',
  };
  const flags = [...NODE_FLAGS, ...values.flag];
  const options = { flags, environment: ENVIRONMENT, args: [JSON.stringify(env)] };
  // The first start creates the database and leaves its garbage behind: growth could hide in it.
  const first = await startMeasured('service', options);
  await first.untilIdle();
  await first.stop();
  return startMeasured('service', options);
}

async function runOf(
  service: Measured,
  restBytes: number,
  work: () => Promise<FromClient>,
): Promise<Run> {
  let timed = { ms: 0, firstByteMs: 0 };
  const cpuBeforeMs = await cpuMsOf(service.pid);
  const peakBytes = await peakRssBytesDuring(service.pid, async () => {
    timed = await work();
  });
  const cpuMs = (await cpuMsOf(service.pid)) - cpuBeforeMs;
  await service.untilIdle();
  return { ...timed, cpuMs, growthBytes: Math.max(0, peakBytes - restBytes) };
}

/** Median, and the most of all runs, on which the bar is: memory must be there for each. */
function growthRow(runs: Record<Api, Run[]>, hasBar: boolean): Row {
  const [floor, service] = [runs.graphql, runs.openai].map((of) =>
    of.map(({ growthBytes }) => growthBytes),
  ) as [number[], number[]];
  return {
    what: '  growth of memory over rest, median and most',
    floor: medianAndMost(floor),
    service: medianAndMost(service),
    runs: { floor: floor.map(inMb), service: service.map(inMb) },
    ...(hasBar && { bar: growthBar(service) }),
  };
}

function responseRow(growths: number[]): Row {
  return {
    what: '  of the response alone, read late',
    service: medianAndMost(growths),
    runs: { service: growths.map(inMb) },
    bar: growthBar(growths),
  };
}

function growthBar(growths: number[]) {
  return { value: Math.max(...growths) / MB, atMost: MAX_GROWTH_MB, unit: 'MB' };
}

function medianAndMost(growths: number[]): string {
  return `${megabytes(median(growths))}, ${megabytes(Math.max(...growths))}`;
}

function timeRow(
  what: string,
  time: 'ms' | 'firstByteMs' | 'cpuMs',
  runs: Record<Api, Run[]>,
  hasBar: boolean,
): Row {
  const times = (api: Api) => runs[api].map((run) => run[time]);
  const floor = median(times('graphql'));
  const service = median(times('openai'));
  return {
    what,
    floor: `${floor.toFixed(0)} ms`,
    service: `${service.toFixed(0)} ms`,
    runs: { floor: times('graphql'), service: times('openai') },
    ...(hasBar && { bar: { value: service / floor, atMost: MAX_RATIO, unit: 'x' } }),
  };
}

function textOf({ ms, firstByteMs, cpuMs, growthBytes }: Run): string {
  return `${ms.toFixed(0)} ms, first byte ${firstByteMs.toFixed(0)} ms, ${cpuMs} ms of CPU, ${megabytes(growthBytes)} over rest`;
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function inMb(bytes: number): number {
  return bytes / MB;
}

function megabytes(bytes: number): string {
  return `${inMb(bytes).toFixed(0)} MB`;
}
