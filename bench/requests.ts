import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ENVIRONMENT, NODE_FLAGS } from '../src/app/node-options.ts';
import { cpuMsOf, peakRssBytesDuring, rssBytesOf } from '../test/support/process-stats.ts';
import { median, type Row } from '../test/support/report.ts';
import { noisePng } from '../test/support/test-images.ts';
import { createLoad } from './forward/load.ts';
import { type Measured, startMeasured } from './forward/measured.ts';
import { startUpstream } from './forward/upstream.ts';
import { largestInline, requests, type SentRequest, type Stored } from './requests/requests.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * What one request may cost: processor time, memory, and how long it holds up all others. The
 * embedded database runs in the same process. Exit code 1: a bar was missed.
 *
 * `node bench/requests.ts [--runs 5]`; wants an idle machine.
 */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, ...JSON_OPTION },
});
const RUNS = Number(values.runs);
const MB = 1_000_000;
const EDITS = 120;
const LARGE_BYTES = 25 * MB;
const MAX_CPU_MS = 2_000;
const MAX_GROWTH_MB = 64;
const MAX_STALL_MS = 200;
const MAX_INLINE_FACTOR = 4;

const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
const upstream = await startUpstream({ delayMs: 0, imageBytes: 20_000 });
const env = {
  PORT: '0',
  DATA_DIR: dir,
  EDITS_API_URL: upstream.url,
  EDITS_API_KEY: 'sk-bench',
  LOG_LEVEL: 'error',
};
const options = { flags: NODE_FLAGS, environment: ENVIRONMENT, args: [JSON.stringify(env)] };
try {
  const filling = await startMeasured('service', options);
  const stored = await fill(filling);
  await filling.stop();
  const service = await startMeasured('service', options);
  const rows: Row[] = [];
  try {
    for (const request of requests(stored)) rows.push(...(await rowsOf(service, request)));
    rows.push(await inlineRow(service, largestInline(stored)));
  } finally {
    await service.stop();
  }
  await finish({ rows }, values.json);
} finally {
  await upstream.stop();
  await rm(dir, { recursive: true, force: true });
}

/** Stores edits of small images, and one image of 25 MB. */
async function fill({ url }: Measured): Promise<Stored> {
  const load = createLoad({ png: await noisePng(20_000) });
  await load.run(url, { edits: EDITS, concurrency: 4, n: 1 });
  load.close();
  const large = await fetch(`${url}/images`, {
    method: 'POST',
    headers: { 'content-type': 'image/png', 'apollo-require-preflight': 'true' },
    body: new Uint8Array(await noisePng(LARGE_BYTES)),
  });
  const { id } = (await large.json()) as { id: string };
  const page = await fetch(
    `${url}/graphql`,
    requestInit({ query: '{ editJobs(first: 100) { edges { node { id } } } }' }),
  );
  const { data } = (await page.json()) as {
    data: { editJobs: { edges: { node: { id: string } }[] } };
  };
  return { edits: data.editJobs.edges.map(({ node }) => node.id), images: [id] };
}

async function rowsOf(service: Measured, request: SentRequest): Promise<Row[]> {
  const results = await measure(service, request);
  const each = (name: keyof (typeof results)[number]) => results.map((one) => one[name]);
  const of = (name: keyof (typeof results)[number]) => median(each(name));
  const growthMb = of('growthBytes') / MB;
  return [
    {
      what: request.what,
      service: `${request.returns}: ${of('cpuMs').toFixed(0)} ms of CPU`,
      runs: { service: each('cpuMs') },
      bar: { value: of('cpuMs'), atMost: MAX_CPU_MS, unit: 'ms' },
    },
    {
      what: '  memory',
      service: `${growthMb.toFixed(0)} MB`,
      runs: { service: each('growthBytes').map((bytes) => bytes / MB) },
      bar: { value: growthMb, atMost: MAX_GROWTH_MB, unit: 'MB' },
    },
    {
      what: '  longest stall of the event loop',
      service: `${of('stallMs').toFixed(0)} ms`,
      runs: { service: each('stallMs') },
      bar: { value: of('stallMs'), atMost: MAX_STALL_MS, unit: 'ms' },
    },
  ];
}

async function inlineRow(service: Measured, request: SentRequest): Promise<Row> {
  const results = await measure(service, request);
  const growth = Math.max(...results.map(({ growthBytes }) => growthBytes));
  return {
    what: `${request.what}: memory over its bytes`,
    service: `${(growth / MB).toFixed(0)} MB at most`,
    runs: { service: results.map(({ growthBytes }) => growthBytes / MB) },
    bar: { value: growth / LARGE_BYTES, atMost: MAX_INLINE_FACTOR, unit: 'x' },
  };
}

/** Each run is on its own: at rest before, and its growth is that over rest. */
async function measure(service: Measured, request: SentRequest) {
  const results: { cpuMs: number; growthBytes: number; stallMs: number }[] = [];
  // The first warms it up.
  for (let run = 0; run <= RUNS; run += 1) {
    await service.untilIdle();
    const restBytes = await rssBytesOf(service.pid);
    const cpuBefore = await cpuMsOf(service.pid);
    let stallMs = 0;
    const peakBytes = await peakRssBytesDuring(service.pid, async () => {
      stallMs = await service.stallDuring(() => send(service.url, request));
    });
    const cpuMs = (await cpuMsOf(service.pid)) - cpuBefore;
    if (run > 0) results.push({ cpuMs, growthBytes: Math.max(0, peakBytes - restBytes), stallMs });
  }
  return results;
}

async function send(url: string, request: SentRequest): Promise<void> {
  const response = await fetch(`${url}/graphql`, requestInit(request));
  const text = await response.text();
  const returned = `${response.status}${text.includes('"errors"') && response.ok ? ' with errors' : ''}`;
  if (returned !== request.returns) {
    throw new Error(`${request.what}: ${returned}: ${text.slice(0, 300)}`);
  }
}

function requestInit({ query, variables }: Pick<SentRequest, 'query' | 'variables'>): RequestInit {
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
    },
    body: JSON.stringify({ query, variables }),
  };
}
