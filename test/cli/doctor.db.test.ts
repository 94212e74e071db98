import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { Finding } from '../../src/app/doctor/finding.ts';
import { runDoctor } from '../../src/app/doctor/run-doctor.ts';
import type { PrismaClient } from '../../src/database/database.ts';
import { startTestApp } from '../support/app.ts';
import { runCommandLine } from '../support/command-line.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';
import { filesIn, temporaryDirectory } from '../support/directory.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { onServer, ROLE, SCHEMA } from '../support/hostile-role.ts';
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { S3_SECRET, startS3Server } from '../support/s3-server.ts';

type Env = Record<string, string>;

const KEY = 'sk-test-canary-of-the-doctor';
const SECRET_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7)).toString('base64');
const CANARIES = [KEY, S3_SECRET, SECRET_KEY, 'wrong-password-canary'];

let database: TestDatabase;
let upstream: FakeUpstream;
let env: Env;
beforeEach(async () => {
  database = await createTestDatabase();
  upstream = await startFakeUpstream();
  upstream.list = (res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ data: [{ id: 'gpt-image-1' }, { id: 'gpt-image-1.5' }] }));
  };
  env = { ...database.env, PORT: '0', EDITS_API_URL: upstream.url, EDITS_API_KEY: KEY };
});
afterEach(async () => {
  // Every test: no edit is sent, whatever is wrong.
  expect(upstream.posts).toBe(0);
  await upstream.close();
  await database.drop();
});

async function write<Result>(query: (prisma: PrismaClient) => Promise<Result>): Promise<Result> {
  const opened = await database.open();
  try {
    return await query(opened.prisma);
  } finally {
    await opened.close();
  }
}

async function doctor(given: Env, ...args: string[]) {
  const output = await runCommandLine(given, 'doctor', ...args);
  for (const canary of CANARIES) expect(output.stdout + output.stderr).not.toContain(canary);
  return output;
}

async function findings(given: Env): Promise<{ exitCode: number; found: readonly Finding[] }> {
  const { exitCode, stdout } = await doctor(given, '--json');
  return { exitCode, found: JSON.parse(stdout) };
}

/** A server of something else. */
async function otherServer(): Promise<number> {
  const server = createServer((_, res) => res.end('something else'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

interface Planted {
  readonly check: string;
  /** @default 'fault' */
  readonly status?: 'fault' | 'warn';
  readonly finds: RegExp;
  readonly fix: RegExp;
  plant(): Promise<Env>;
}

async function diagnose({ check, status = 'fault', finds, fix, plant }: Planted) {
  const { exitCode, found } = await findings({ ...env, ...(await plant()) });
  const bad = found.filter((one) => one.status !== 'ok');
  const all = JSON.stringify(bad, null, 2);
  expect(
    found.find((one) => one.check === check && one.status === status),
    all,
  ).toMatchObject({ message: expect.stringMatching(finds), fix: expect.stringMatching(fix) });
  // Nothing else is at fault.
  expect(bad.filter((one) => one.status === 'fault' && one.check !== check)).toEqual([]);
  expect(exitCode).toBe(status === 'fault' ? 1 : 0);
}

const EVERYWHERE: Record<string, Planted> = {
  'an invalid setting': {
    check: 'configuration',
    finds: /^LOG_LEVEL is "loud"/,
    fix: /LOG_LEVEL/,
    plant: async () => ({ LOG_LEVEL: 'loud' }),
  },
  'a file of settings that is missing': {
    check: 'files of settings',
    finds: /MODELS_FILE .*ENOENT/,
    fix: /MODELS_FILE/,
    plant: async () => ({ MODELS_FILE: '/nowhere/models.json' }),
  },
  'a file in place of DATA_DIR': {
    check: 'DATA_DIR',
    finds: /DATA_DIR .* cannot be used \(E(NOTDIR|EXIST)/,
    fix: /DATA_DIR/,
    async plant() {
      const path = join(await temporaryDirectory(), 'file');
      await writeFile(path, '');
      return { DATA_DIR: path };
    },
  },
  'a disk that is nearly full': {
    check: 'disk',
    finds: /free, fewer than MIN_FREE_DISK_BYTES/,
    fix: /DATA_DIR, or lower MIN_FREE_DISK_BYTES/,
    plant: async () => ({ MIN_FREE_DISK_BYTES: '900000000000000' }),
  },
  'a bucket that does not exist': {
    check: 'storage',
    finds: /NoSuchBucket/,
    fix: /STORAGE_URL/,
    async plant() {
      const { env: s3 } = await startS3Server();
      return { ...s3, STORAGE_URL: (s3['STORAGE_URL'] ?? '').replace('images', 'absent') };
    },
  },
  'a wrong key of the bucket': {
    check: 'storage',
    finds: /SignatureDoesNotMatch/,
    fix: /AWS_SECRET_ACCESS_KEY/,
    async plant() {
      const { env: s3 } = await startS3Server();
      return { ...s3, AWS_SECRET_ACCESS_KEY: 'another-secret-access-key' };
    },
  },
  'an upstream that is away': {
    check: 'upstreams',
    finds: /cannot be reached \(.*ECONNREFUSED/,
    fix: /EDITS_API_URL/,
    plant: async () => ({ EDITS_API_URL: 'http://127.0.0.1:1/v1' }),
  },
  'a key that the upstream rejects': {
    check: 'upstreams',
    finds: /key rejected \(status 401\)/,
    fix: /EDITS_API_KEY/,
    async plant() {
      upstream.list = (res) => res.writeHead(401).end(`{"error":"Incorrect API key: ${KEY}"}`);
      return {};
    },
  },
  'a default model that the upstream does not list': {
    check: 'models',
    status: 'warn',
    finds: /default model gpt-image-9 is in no list/,
    fix: /set DEFAULT_MODEL to gpt-image-1/,
    plant: async () => ({ DEFAULT_MODEL: 'gpt-image-9' }),
  },
  'a default model that will be shut down': {
    check: 'models',
    status: 'warn',
    finds: /default model gpt-image-1 (will be|was) shut down on/,
    fix: /DEFAULT_MODEL/,
    async plant() {
      const shutdown_date = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
      upstream.list = (res) =>
        res.writeHead(200).end(JSON.stringify({ data: [{ id: 'gpt-image-1', shutdown_date }] }));
      return {};
    },
  },
  'a proxy that is away': {
    check: 'proxies',
    finds: /HTTPS_PROXY 127\.0\.0\.1:1 cannot be reached/,
    fix: /HTTPS_PROXY/,
    plant: async () => ({ HTTPS_PROXY: 'http://user:wrong-password-canary@127.0.0.1:1' }),
  },
  'a secret key that was replaced': {
    check: 'SECRET_KEY',
    finds: /secrets of 1 webhooks are derived from another key/,
    fix: /PREVIOUS_SECRET_KEYS/,
    async plant() {
      await write((prisma) =>
        prisma.webhookEndpoint.createMany({
          data: {
            ownerId: 'local',
            url: 'https://example.com/',
            events: ['EDIT_SUCCEEDED'],
            secretKeyId: 'of another key',
          },
        }),
      );
      return { SECRET_KEY };
    },
  },
  'authentication without a key for an admin': {
    check: 'API keys',
    status: 'warn',
    finds: /AUTH_API_KEYS is on, and no valid key/,
    fix: /AUTH_API_KEYS: .*keys create .*--scope admin/,
    plant: async () => ({ AUTH_API_KEYS: 'true', SECRET_KEY }),
  },
  'a port that another program has': {
    check: 'port',
    finds: /127\.0\.0\.1:\d+ is already in use/,
    fix: /HOST and PORT/,
    plant: async () => ({ PORT: String(await otherServer()) }),
  },
  'metrics that cannot be served on a port': {
    check: 'metrics',
    finds: /already in use/,
    fix: /METRICS_PORT/,
    plant: async () => ({ METRICS_PORT: String(await otherServer()) }),
  },
  'a public URL without encryption': {
    check: 'PUBLIC_URL',
    status: 'warn',
    finds: /not encrypted/,
    fix: /PUBLIC_URL/,
    plant: async () => ({
      HOST: '0.0.0.0',
      ALLOW_ANONYMOUS: 'true',
      PUBLIC_URL: 'http://retouch.example.com',
    }),
  },
  'a pattern among the hosts of webhooks': {
    check: 'hosts of webhooks',
    status: 'warn',
    finds: /\*\.example\.com allows nothing/,
    fix: /WEBHOOK_ALLOWED_HOSTS/,
    plant: async () => ({ WEBHOOK_ALLOWED_HOSTS: '*.example.com' }),
  },
  'a migration of a newer release': {
    check: 'migrations',
    finds: /migration 29990101000000_future, which this release cannot run on/,
    fix: /newer release/,
    async plant() {
      await write(
        (prisma) => prisma.$executeRaw`
          INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
          VALUES ('future', 'x', '29990101000000_future', now(), 1)`,
      );
      return {};
    },
  },
  'a queue of a newer release': {
    check: 'queue',
    finds: /has version 9999, of a newer release/,
    fix: /DATABASE_URL/,
    async plant() {
      const schema = inject('databaseKind') === 'postgres' ? `${SCHEMA}_queue` : 'retouch_queue';
      await write((prisma) =>
        prisma.$executeRawUnsafe(`UPDATE "${schema}".version SET version = 9999`),
      );
      return {};
    },
  },
};

describe.runIf(hasDatabase)('doctor finds', () => {
  test.each(Object.entries(EVERYWHERE))('%s, and says how to fix it', (_, planted) =>
    diagnose(planted),
  );
});

describe.runIf(hasDatabase)('doctor', () => {
  test('finds nothing wrong with a database that is in order, and leaves nothing behind', async () => {
    for (const dir of ['blobs', 'staging']) await mkdir(join(database.dir, dir));
    const { exitCode, stdout, stderr } = await doctor(env);
    expect(stdout).toMatch(/storage: .* stores, returns and deletes a file/);
    // Those of the embedded database have directories of their own.
    const left = (await readdir(database.dir, { withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    expect(left.filter((name) => !/^(retouch|postgres)\./.test(name))).toEqual([]);
    for (const dir of ['blobs', 'staging']) {
      expect(await filesIn(join(database.dir, dir))).toEqual([]);
    }
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('ok   '))).toEqual(
      [],
    );
    expect(stdout).toContain('migrations: all');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  test('stores, reads and deletes one object of its own in a bucket', async () => {
    const s3 = await startS3Server();
    const { found } = await findings({ ...env, ...s3.env });
    expect(found.filter(({ status }) => status !== 'ok')).toEqual([]);
    const methods = s3.requests.map((line) => line.split(' ')[0]);
    expect(methods).toEqual(expect.arrayContaining(['PUT', 'GET', 'DELETE']));
    expect(s3.requests.every((line) => line.includes('/some/prefix/probe-'))).toBe(true);
    expect(await s3.keys()).toEqual([]);
  });

  test('finds nothing wrong next to a running service, and does not disturb it', async () => {
    const app = await startTestApp();
    onTestFinished(app.stop);
    const given = {
      DATA_DIR: app.dir,
      ...(app.databaseUrl !== undefined && { DATABASE_URL: app.databaseUrl }),
      PORT: new URL(app.url).port,
      EDITS_API_URL: upstream.url,
      EDITS_API_KEY: KEY,
    };
    const { exitCode, found } = await findings(given);
    expect(found.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(exitCode).toBe(0);
    expect(found.find(({ check }) => check === 'port')?.message).toContain(
      'a Retouch that is ready',
    );
    expect((await fetch(`${app.url}/health/ready`)).status).toBe(200);
  });

  test.runIf(inject('databaseKind') === 'pglite')(
    'says what it did not check where a process has the embedded database and serves no commands',
    async () => {
      const holder = await database.open();
      const { exitCode, found } = await findings(env).finally(() => holder.close());
      const bad = found.filter(({ status }) => status !== 'ok');
      expect(bad).toMatchObject([
        { check: 'SECRET_KEY', status: 'warn', fix: expect.stringContaining('DATA_DIR') },
      ]);
      expect(bad[0]?.message).toContain('not checked: A process has the embedded database');
      expect(exitCode).toBe(0);
    },
  );

  test('checks the database and the storage also where they do not need a DATA_DIR that is broken', async () => {
    const path = join(await temporaryDirectory(), 'file');
    await writeFile(path, '');
    const s3 = await startS3Server();
    const { found } = await findings({ ...env, ...s3.env, DATA_DIR: path });
    const statusOf = (name: string) => found.find(({ check }) => check === name)?.status;
    expect(statusOf('storage')).toBe('ok');
    const isServer = inject('databaseKind') === 'postgres';
    expect(statusOf('database')).toBe(isServer ? 'ok' : 'warn');
  });

  test('reports every problem of the settings, and still checks the rest', async () => {
    const { exitCode, found } = await findings({
      ...env,
      PORT: 'many',
      LOG_LEVEL: 'loud',
      EDITS_API_KEY: '',
    });
    const faults = found.filter(({ status }) => status === 'fault');
    expect(faults.map(({ check }) => check)).toEqual(Array(3).fill('configuration'));
    expect(exitCode).toBe(1);
    const statusOf = (name: string) => found.find(({ check }) => check === name);
    for (const check of ['port', 'upstreams', 'models']) {
      expect(statusOf(check)).toMatchObject({
        status: 'warn',
        message: /^not checked, because of/,
      });
    }
    for (const check of ['DATA_DIR', 'database', 'migrations', 'storage']) {
      expect(statusOf(check)).toMatchObject({ status: 'ok' });
    }
  });

  test('ends a check that hangs, and still runs the others', async () => {
    upstream.list = () => {};
    const found = await runDoctor({ env, timeoutMs: 50 });
    expect(found.find(({ check }) => check === 'upstreams')).toEqual({
      check: 'upstreams',
      status: 'fault',
      message: 'no result after 0.05 s',
      fix: expect.stringContaining('EDITS_API_URL'),
    });
    expect(found.find(({ check }) => check === 'PUBLIC_URL')?.status).toBe('ok');
  });

  test('ends when it is interrupted', async () => {
    upstream.list = () => {};
    const ending = new AbortController();
    const ended = runDoctor({ env, signal: ending.signal });
    ending.abort(new Error('interrupted'));
    await expect(ended).rejects.toThrow('interrupted');
  });

  test('exits with 2 for an unknown option', async () => {
    expect(await doctor(env, '--fast')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describe.runIf(hasDatabase && inject('databaseKind') === 'postgres')('doctor finds', () => {
  const urlOf = (change: (url: URL) => void) => {
    const url = new URL(env['DATABASE_URL'] ?? '');
    change(url);
    return url.href;
  };
  const name = () => new URL(env['DATABASE_URL'] ?? '').pathname.slice(1);
  const asAdmin = (...statements: string[]) => {
    const url = new URL(inject('postgresUrl') ?? '');
    url.pathname = `/${name()}`;
    return onServer(url.href, ...statements);
  };

  const SERVER: Record<string, Planted> = {
    'a replica that follows no other server': {
      check: 'replica',
      status: 'warn',
      finds: /not a standby/,
      fix: /DATABASE_REPLICA_URL/,
      plant: async () => ({ DATABASE_REPLICA_URL: env['DATABASE_URL'] ?? '' }),
    },
    'a replica that is away': {
      check: 'replica',
      finds: /127\.0\.0\.1:1/,
      fix: /DATABASE_REPLICA_URL/,
      plant: async () => ({ DATABASE_REPLICA_URL: 'postgres://me@127.0.0.1:1/retouch' }),
    },
    'a server that is away': {
      check: 'database',
      finds: /cannot be reached \(.*ECONNREFUSED/,
      fix: /DATABASE_URL/,
      plant: async () => ({
        DATABASE_URL: urlOf((url) => {
          url.port = '1';
        }),
      }),
    },
    'a server that accepts connections and never responds': {
      check: 'database',
      finds: /cannot be reached \(timeout expired\)/,
      fix: /DATABASE_URL/,
      async plant() {
        const silent = createTcpServer();
        silent.listen(0, '127.0.0.1');
        await once(silent, 'listening');
        onTestFinished(() => void silent.close());
        return {
          DATABASE_URL: urlOf((url) => {
            url.port = String((silent.address() as AddressInfo).port);
          }),
        };
      },
    },
    'a database that does not exist': {
      check: 'database',
      finds: /database "nowhere" does not exist/,
      fix: /DATABASE_URL: create it/,
      plant: async () => ({
        DATABASE_URL: urlOf((url) => {
          url.pathname = '/nowhere';
        }),
      }),
    },
    'a server that takes no writes': {
      check: 'database',
      finds: /the server is read-only/,
      fix: /DATABASE_URL: connect to the primary/,
      async plant() {
        await asAdmin(
          `ALTER ROLE ${ROLE} IN DATABASE ${name()} SET default_transaction_read_only TO on`,
        );
        return {};
      },
    },
    'a table that the role may not read': {
      check: 'rights',
      finds: /may not read and write studio\."EditJob"/,
      fix: /GRANT SELECT, INSERT, UPDATE, DELETE .*DATABASE_URL/,
      async plant() {
        await asAdmin(`REVOKE SELECT ON ${SCHEMA}."EditJob" FROM ${ROLE}`);
        return {};
      },
    },
    'fewer connections than a process opens': {
      check: 'connections',
      finds: /a process opens 8, and \d are free/,
      fix: /DATABASE_POOL_SIZE and QUEUE_POOL_SIZE/,
      async plant() {
        await asAdmin(`ALTER DATABASE ${name()} CONNECTION LIMIT 4`);
        return {};
      },
    },
  };
  test.each(Object.entries(SERVER))('%s, and says how to fix it', (_, planted) =>
    diagnose(planted),
  );

  test.runIf(hasPgBouncer)('a wrong password, and says how to fix it', () =>
    diagnose({
      check: 'database',
      finds: /authentication failed/,
      fix: /DATABASE_URL: correct its user, password/,
      async plant() {
        const url = new URL(await startPgBouncer(env['DATABASE_URL'] ?? '', 'session'));
        url.password = 'wrong-password-canary';
        return { DATABASE_URL: url.href };
      },
    }),
  );

  test.runIf(hasPgBouncer)('a transaction pooler without DATABASE_DIRECT_URL', () =>
    diagnose({
      check: 'notifications',
      finds: /transaction pooler/,
      fix: /set DATABASE_DIRECT_URL/,
      plant: async () => ({
        DATABASE_URL: await startPgBouncer(env['DATABASE_URL'] ?? '', 'transaction'),
      }),
    }),
  );

  test.each([
    [90_000, 'fault', /behind|ahead/],
    [20_000, 'warn', /20 s behind/],
    [-20_000, 'warn', /20 s ahead of/],
  ] as const)('a clock that differs by %i ms', async (ms, status, words) => {
    const found = await runDoctor({ env, now: () => Date.now() + ms });
    expect(found.find(({ check }) => check === 'clock')).toMatchObject({
      status,
      message: expect.stringMatching(words),
      fix: expect.stringContaining('DATABASE_URL'),
    });
  });
});
