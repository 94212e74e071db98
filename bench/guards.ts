import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import { ENVIRONMENT, NODE_FLAGS } from '../src/app/node-options.ts';
import { isMet, median, type Row, tableOf } from '../test/support/report.ts';
import { noisePng } from '../test/support/test-images.ts';
import { type Measured, startMeasured } from './forward/measured.ts';
import { startUpstream } from './forward/upstream.ts';

/**
 * What authentication and limits cost: the median of `{ __typename }` and of an image, with an API
 * key that has a limit of requests, over the same service without both. Alternating runs against two
 * processes. Exit code 1: a bar was missed.
 *
 * `node bench/guards.ts`; wants an idle machine.
 */
const ROUNDS = 40;
const REQUESTS = 100;
const MAX_RATIO = 1.15;
const IMAGE_BYTES = 20_000;

type Headers = Readonly<Record<string, string>>;

interface Target {
  readonly service: Measured;
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
  const service = await startMeasured('service', {
    flags: NODE_FLAGS,
    environment: ENVIRONMENT,
    args: [JSON.stringify(all)],
  });
  const pool = new Pool(service.url, { connections: 1 });
  const headers = admin['x-user'] === undefined ? {} : await withKey(pool, admin);
  const { id } = (await send(pool, 'POST', '/images', {
    headers: { 'content-type': 'image/png', ...headers },
    body: await noisePng(IMAGE_BYTES),
  })) as { id: string };
  return { service, pool, headers, imagePath: `/images/${id}` };
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

const KINDS = {
  '{ __typename }': ({ pool, headers }: Target) =>
    send(pool, 'POST', '/graphql', {
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"query":"{ __typename }"}',
    }),
  'an image of 20 kB': ({ pool, headers, imagePath }: Target) =>
    send(pool, 'GET', imagePath, { headers }),
};

async function medianOf(target: Target, kind: keyof typeof KINDS): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < REQUESTS; i += 1) {
    const startMs = performance.now();
    await KINDS[kind](target);
    times.push(performance.now() - startMs);
  }
  return median(times);
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
try {
  const rows: Row[] = [];
  for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
    const times = { open: [] as number[], guarded: [] as number[] };
    // The first rounds are warm-up.
    for (let round = 0; round < ROUNDS; round += 1) {
      const order = round % 2 === 0 ? ([open, guarded] as const) : ([guarded, open] as const);
      for (const target of order) {
        const ms = await medianOf(target, kind);
        if (round >= ROUNDS / 4) times[target === open ? 'open' : 'guarded'].push(ms);
      }
    }
    const [floor, service] = [median(times.open), median(times.guarded)];
    rows.push({
      what: `${kind}, p50`,
      floor: `${floor.toFixed(2)} ms`,
      service: `${service.toFixed(2)} ms`,
      bar: { value: service / floor, atMost: MAX_RATIO, unit: 'x' },
    });
  }
  process.stdout.write(`\n${tableOf(rows)}`);
  process.exitCode = rows.every(isMet) ? 0 : 1;
} finally {
  for (const { service, pool } of [open, guarded]) {
    await pool.close();
    await service.stop();
  }
  await upstream.stop();
  for (const dir of dirs) await rm(dir, { recursive: true, force: true });
}
