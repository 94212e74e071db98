import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { ENVIRONMENT, NODE_FLAGS } from '../src/app/node-options.ts';
import { findNginx, freePorts } from '../test/support/nginx.ts';
import { cpuMsOf } from '../test/support/process-stats.ts';
import { median, type Row } from '../test/support/report.ts';
import { noisePng } from '../test/support/test-images.ts';
import { startMeasured } from './forward/measured.ts';
import type { Load } from './images/load.ts';
import { startNginx } from './images/nginx.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * How many images a second the service sends: thumbnails beside a bare server of Node that sends two
 * bytes, and images beside nginx with sendfile. Alternating runs against all of them. Exit code 1: a
 * bar was missed.
 *
 * `node bench/images.ts [--rounds 12]`; needs nginx, wants an idle machine.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '12' }, ...JSON_OPTION },
});
const ROUNDS = Number(values.rounds);
const WARM_UP = 3;
const DURATION_MS = 1_000;
const CONNECTIONS = 8;
const IMAGE_BYTES = 700_000;
const MIN_OF_BARE = 0.4;
const MIN_OF_NGINX = 0.5;

interface Target {
  readonly what: string;
  readonly pid: number;
  readonly port: number;
  readonly path: string;
}

const executable = findNginx();
if (executable === null) throw new Error('this bench needs nginx (Debian: apt-get install nginx)');
const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
const png = await noisePng(IMAGE_BYTES);
await mkdir(join(dir, 'nginx'));
await writeFile(join(dir, 'nginx', 'image.png'), png);
const [port = 0] = await freePorts(1);
const nginx = await startNginx(executable, join(dir, 'nginx'), port);
const bare = await startMeasured('bare', { args: [] });
const env = { PORT: '0', DATA_DIR: join(dir, 'data'), LOG_LEVEL: 'error' };
const service = await startMeasured('service', {
  flags: [...NODE_FLAGS, ...process.execArgv.filter((flag) => flag.startsWith('--cpu-prof'))],
  environment: ENVIRONMENT,
  args: [JSON.stringify(env)],
});
try {
  const path = await upload(service.url);
  const serviceAt = { pid: service.pid, port: portOf(service.url) };
  const targets = {
    bare: { what: 'bare server', pid: bare.pid, port: portOf(bare.url), path: '/' },
    thumbnail: { what: 'thumbnail', ...serviceAt, path: `${path}?w=256` },
    nginx: { what: 'nginx', pid: nginx.pid, port, path: '/image.png' },
    image: { what: 'image', ...serviceAt, path },
  } satisfies Record<string, Target>;
  const measured = new Map<Target, { perSecond: number[]; perCpuSecond: number[] }>();
  for (const target of Object.values(targets)) {
    measured.set(target, { perSecond: [], perCpuSecond: [] });
  }
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    for (const [target, figures] of measured) {
      const { perSecond, perCpuSecond } = await run(target);
      if (round < WARM_UP) continue;
      figures.perSecond.push(perSecond);
      figures.perCpuSecond.push(perCpuSecond);
    }
  }
  const rows: Row[] = [];
  const compare = (what: string, floor: Target, own: Target, atLeast: number) => {
    for (const [unit, name] of [
      ['s', 'perSecond'],
      ['s of CPU', 'perCpuSecond'],
    ] as const) {
      const runs = {
        floor: measured.get(floor)?.[name] ?? [],
        service: measured.get(own)?.[name] ?? [],
      };
      const [least, reached] = [median(runs.floor), median(runs.service)];
      rows.push({
        what: `${what}, per ${unit}`,
        floor: least.toFixed(0),
        service:
          name === 'perSecond'
            ? reached.toFixed(0)
            : `${reached.toFixed(0)}: ${(reached / least).toFixed(2)}x`,
        runs,
        ...(name === 'perSecond' && { bar: { value: reached / least, atLeast, unit: 'x' } }),
      });
    }
  };
  compare('thumbnails, over a bare server', targets.bare, targets.thumbnail, MIN_OF_BARE);
  compare(
    `images of ${png.length / 1_000} kB, over nginx`,
    targets.nginx,
    targets.image,
    MIN_OF_NGINX,
  );
  await finish({ rows }, values.json);
} finally {
  await service.stop();
  await bare.stop();
  await nginx.stop();
  await rm(dir, { recursive: true, force: true });
}

/** Returns the path of the image. */
async function upload(url: string): Promise<string> {
  const response = await fetch(`${url}/images`, {
    method: 'POST',
    headers: { 'content-type': 'image/png', 'apollo-require-preflight': 'true' },
    body: new Uint8Array(png),
  });
  const { id } = (await response.json()) as { id: string };
  return `/images/${id}`;
}

async function run({ pid, port, path }: Target) {
  const load: Load = { port, path, connections: CONNECTIONS, durationMs: DURATION_MS };
  const cpuBeforeMs = await cpuMsOf(pid);
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, 'images/load.ts'),
    JSON.stringify(load),
  ]);
  const cpuMs = (await cpuMsOf(pid)) - cpuBeforeMs;
  const { requests, ms } = JSON.parse(stdout) as { requests: number; ms: number };
  return { perSecond: (requests * 1_000) / ms, perCpuSecond: (requests * 1_000) / cpuMs };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
