import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { ENVIRONMENT, NODE_FLAGS } from '../src/app/node-options.ts';
import { median, type Row } from '../test/support/report.ts';
import { noisePng } from '../test/support/test-images.ts';
import { type Measured, startMeasured } from './forward/measured.ts';
import { startUpstream } from './forward/upstream.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * What the service's own checks, authentication and limits cost: the median of `{ __typename }` over
 * that of a bare Yoga server with the same schema, and of `{ __typename }` and an image with an API
 * key that has a limit of requests, over the same service without both. Alternating runs against
 * three processes. Exit code 1: a bar was missed.
 *
 * `node bench/guards.ts [--rounds 40]`; wants an idle machine.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '40' }, ...JSON_OPTION },
});
const ROUNDS = Number(values.rounds);
const REQUESTS = 100;
/** 1.0, and by how much two equal servers may differ in one run. */
const MAX_OVER_YOGA = 1.05;
const MAX_GUARDED = 1.1;
const MAX_GUARDED_IMAGE = 1.15;
const IMAGE_BYTES = 20_000;

type Headers = Readonly<Record<string, string>>;

interface Target {
  readonly measured: Measured;
  readonly pool: Pool;
  readonly headers: Headers;
  readonly imagePath: string;
}

const upstream = await startUpstream({ delayMs: 0, imageBytes: IMAGE_BYTES });
const dirs: string[] = [];

async function start(env: Record<string, string>, admin: Headers): Promise<Target> {
  const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
  dirs.push(dir);
  const all = {
    PORT: '0',
    DATA_DIR: dir,
    EDITS_API_URL: upstream.url,
    EDITS_API_KEY: 'sk-bench',
    LOG_LEVEL: 'error',
    ...env,
  };
  const measured = await startMeasured('service', {
    flags: NODE_FLAGS,
    environment: ENVIRONMENT,
    args: [JSON.stringify(all)],
  });
  const pool = new Pool(measured.url, { connections: 1 });
  const headers = admin['x-user'] === undefined ? {} : await withKey(pool, admin);
  const { id } = (await send(pool, 'POST', '/images', {
    headers: { 'content-type': 'image/png', ...headers },
    body: await noisePng(IMAGE_BYTES),
  })) as { id: string };
  return { measured, pool, headers, imagePath: `/images/${id}` };
}

/** A key of an owner who has a limit of requests that the bench does not reach. */
async function withKey(pool: Pool, admin: Headers): Promise<Headers> {
  const graphql = (query: string) =>
    send(pool, 'POST', '/graphql', {
      headers: { 'content-type': 'application/json', ...admin },
      body: JSON.stringify({ query }),
    }) as Promise<{ data: Record<string, { key: string }> }>;
  const { data } = await graphql(
    'mutation { createApiKey(input: { name: "bench", scopes: [EDIT], ownerId: "ann" }) { ... on CreateApiKeyPayload { key } } }',
  );
  await graphql(
    'mutation { setLimit(input: { subject: { ownerId: "ann" }, measure: REQUESTS, amount: "100000000" }) { __typename } }',
  );
  return { authorization: `Bearer ${data['createApiKey']?.key}` };
}

async function send(
  pool: Pool,
  method: 'GET' | 'POST',
  path: string,
  options: { headers?: Headers; body?: string | Uint8Array },
): Promise<unknown> {
  const { statusCode, body } = await pool.request({ method, path, ...options });
  const bytes = await body.bytes();
  if (statusCode >= 300) throw new Error(`${statusCode} ${Buffer.from(bytes)}`);
  const text = Buffer.from(bytes);
  return text[0] === 0x7b ? JSON.parse(text.toString()) : null;
}

async function startYoga(): Promise<Target> {
  const measured = await startMeasured('yoga', { args: [], flags: NODE_FLAGS });
  const pool = new Pool(measured.url, { connections: 1 });
  return { measured, pool, headers: {}, imagePath: '' };
}

async function sendTypename({ pool, headers }: Target): Promise<void> {
  const { data } = (await send(pool, 'POST', '/graphql', {
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"query":"{ __typename }"}',
  })) as { data?: { __typename?: string } };
  if (data?.__typename !== 'Query') throw new Error('{ __typename } has another result');
}

async function getImage({ pool, headers, imagePath }: Target): Promise<void> {
  await send(pool, 'GET', imagePath, { headers });
}

async function medianOf(target: Target, request: (target: Target) => Promise<void>) {
  const times: number[] = [];
  for (let i = 0; i < REQUESTS; i += 1) {
    const startMs = performance.now();
    await request(target);
    times.push(performance.now() - startMs);
  }
  return median(times);
}

/** The median of each round, by target. Which target begins a round changes. */
async function measure(targets: readonly Target[], request: (target: Target) => Promise<void>) {
  const times = new Map(targets.map((target) => [target, [] as number[]]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let turn = 0; turn < targets.length; turn += 1) {
      const target = targets[(round + turn) % targets.length];
      if (target === undefined) continue;
      const ms = await medianOf(target, request);
      // The first rounds are warm-up.
      if (round >= ROUNDS / 4) times.get(target)?.push(ms);
    }
  }
  return (target: Target) => times.get(target) ?? [];
}

function rowOf(what: string, floor: readonly number[], service: readonly number[], atMost: number) {
  const [floorMs, serviceMs] = [median(floor), median(service)];
  const row: Row = {
    what: `${what}, p50`,
    floor: `${floorMs.toFixed(3)} ms`,
    service: `${serviceMs.toFixed(3)} ms`,
    runs: { floor, service },
    bar: { value: serviceMs / floorMs, atMost, unit: 'x' },
  };
  return row;
}

const open = await start({}, {});
const guarded = await start(
  {
    AUTH_API_KEYS: 'true',
    AUTH_HEADER: 'x-user',
    AUTH_HEADER_SCOPES: 'admin',
    TRUSTED_PROXIES: '127.0.0.1',
    SECRET_KEY: randomBytes(32).toString('base64'),
  },
  { 'x-user': 'boss' },
);
const yoga = await startYoga();
try {
  const typename = await measure([yoga, open, guarded], sendTypename);
  const image = await measure([open, guarded], getImage);
  const rows = [
    rowOf('{ __typename } over a bare Yoga', typename(yoga), typename(open), MAX_OVER_YOGA),
    rowOf('  with a key and a limit', typename(yoga), typename(guarded), MAX_GUARDED),
    rowOf(
      '{ __typename } with a key and a limit, over without',
      typename(open),
      typename(guarded),
      MAX_GUARDED,
    ),
    rowOf(
      'an image of 20 kB with a key and a limit, over without',
      image(open),
      image(guarded),
      MAX_GUARDED_IMAGE,
    ),
  ];
  await finish({ rows }, values.json);
} finally {
  for (const { measured, pool } of [open, guarded, yoga]) {
    await pool.close();
    await measured.stop();
  }
  await upstream.stop();
  for (const dir of dirs) await rm(dir, { recursive: true, force: true });
}
