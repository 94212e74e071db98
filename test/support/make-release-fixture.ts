/**
 * `npm run fixture -- <checkout of a release> <version>`: runs that release, with its packages
 * installed, on a Postgres of its own, gives it a history, kills it and writes what it left behind to
 * test/fixtures/releases/<version>. Run it once for each release.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createGraphqlClient } from './graphql-client.ts';
import { startPostgresCluster } from './postgres-cluster.ts';
import { run } from './processes.ts';
import {
  FIXTURE_EDITS,
  FIXTURE_SCHEMA,
  FIXTURE_SECRET_KEY,
  RELEASES_DIR,
} from './release-fixtures.ts';
import { mask as maskImage, png } from './test-images.ts';

const [checkout = '', version = ''] = process.argv.slice(2);
if (checkout === '' || version === '') {
  process.stderr.write('usage: npm run fixture -- <checkout> <version>\n');
  process.exit(2);
}

const cluster = await startPostgresCluster();
if (cluster === null) throw new Error('no Postgres server is installed');
await using opened = new AsyncDisposableStack();
opened.defer(cluster.stop);
const dataDir = await mkdtemp(join(tmpdir(), 'retouch-fixture-'));
opened.defer(() => rm(dataDir, { recursive: true }));
const receiver = createServer((req, res) => {
  req.resume();
  res.writeHead(req.url === '/fails' ? 500 : 204).end();
}).listen(0, '127.0.0.1');
await once(receiver, 'listening');
const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
const sandbox = run(
  [join(resolve(checkout), 'src/sandbox/standalone.ts'), '--fixed-output-bytes', '2000'],
  {},
);
opened.defer(sandbox.kill);
const { url: upstream } = JSON.parse(await sandbox.line((line) => line.startsWith('{"url"')));
const service = run([join(resolve(checkout), 'src/app/start.ts')], {
  PORT: '0',
  DATA_DIR: dataDir,
  DATABASE_URL: `${cluster.url}?schema=${FIXTURE_SCHEMA}`,
  SECRET_KEY: FIXTURE_SECRET_KEY,
  EDITS_API_URL: upstream,
  EDITS_API_KEY: 'sk-fixture',
  EDITS_API_FIRST_HAND: 'true',
  MAX_CONCURRENT_EDITS: '1',
  MAX_EDIT_ATTEMPTS: '1',
  WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
});
opened.defer(service.kill);
const ready = await service.line((line) => line.includes('"msg":"ready"'));
const client = createGraphqlClient(() => JSON.parse(ready).url);

async function ask(query: string, variables: object = {}) {
  const { data, errors } = await client.query(query, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
const fault = (kind: string) =>
  fetch(new URL('/sandbox/faults', upstream), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ kind }]),
  });

const webhook = `mutation ($url: String!) { createWebhook(input: { url: $url, events: [EDIT_SUCCEEDED, EDIT_FAILED] }) { __typename } }`;
for (const path of ['/ok', '/fails']) await ask(webhook, { url: `${hook}${path}` });
const limits =
  version === '0.1.0'
    ? 'mutation { setBudget(input: { ownerId: "local", limit: "25", period: MONTH }) { __typename } }'
    : 'mutation { setLimit(input: { subject: { ownerId: "local" }, measure: COST, window: MONTH, amount: "25" }) { __typename } }';
await ask(limits);

const first = await client.uploadImage(await png());
const mask = await client.uploadImage(await maskImage());
const EDIT = `mutation ($input: EditImageInput!) { editImage(input: $input) {
  __typename ... on EditImagePayload { editJob { id outputImages { id } } }
} }`;
async function edit(prompt: string, more: object = {}) {
  const input = { images: [{ id: first }], prompt, wait: 60, ...more };
  const { editImage } = await ask(EDIT, { input });
  if (editImage.editJob === undefined) throw new Error(`${prompt}: ${editImage.__typename}`);
  return editImage.editJob;
}

const one = await edit('a red hat', {
  metadata: { project: 'spring', round: 1 },
  idempotencyKey: 'first',
});
await edit('给猫戴一顶帽子', {
  metadata: { project: 'spring', round: 2 },
  n: 2,
  mask: { id: mask },
});
await edit('a red hat', { images: [{ id: one.outputImages[0].id }, { id: first }] });
await fault('moderation');
const failed = await edit('forbidden');
await ask('mutation ($id: ID!) { retryEdit(input: { id: $id, wait: 60 }) { __typename } }', {
  id: failed.id,
});
await fault('empty_data');
await edit('without an image');
await fault('reset');
await edit('lost on the way');
await fault('hang');
const running = await edit('still running', { wait: 0 });
const canceled = await edit('canceled', { wait: 0 });
await ask('mutation ($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }', {
  id: canceled.id,
});
await edit('still queued', { wait: 0, metadata: { project: 'summer' } });

let edits: { id: string; status: string }[] = [];
do {
  edits = (await ask(FIXTURE_EDITS)).editJobs.edges.map(
    ({ node }: { node: (typeof edits)[number] }) => node,
  );
} while (!edits.some(({ id, status }) => id === running.id && status === 'RUNNING'));
await service.kill();

const { stdout: sql } = await promisify(execFile)(
  'pg_dump',
  [
    '--no-owner',
    '--no-privileges',
    '--inserts',
    '--rows-per-insert=100',
    '-n',
    FIXTURE_SCHEMA,
    '-n',
    `${FIXTURE_SCHEMA}_queue`,
    cluster.url,
  ],
  { maxBuffer: 64 * 1024 * 1024 },
);
const target = join(RELEASES_DIR, version);
await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await writeFile(
  join(target, 'database.sql'),
  sql
    .replaceAll(/^CREATE SCHEMA /gm, 'CREATE SCHEMA IF NOT EXISTS ')
    // Of other servers' versions, or that only psql knows.
    .replaceAll(/^(SET transaction_timeout|\\(un)?restrict).*\n/gm, '')
    .replaceAll(/^--.*\n|^\n/gm, ''),
);
await cp(dataDir, join(target, 'files'), {
  recursive: true,
  filter: (path) => !path.startsWith(join(dataDir, 'staging')),
});
const migrations = (await readdir(join(checkout, 'prisma/migrations'))).filter((name) =>
  /^\d/.test(name),
);
const release = { version, newestMigration: migrations.sort().at(-1), edits };
await writeFile(join(target, 'release.json'), `${JSON.stringify(release, null, 2)}\n`);
receiver.close();
