import { describe, expect, test } from 'vitest';
import { isLoopback, loadConfig } from '../src/config.ts';
import { ConfigError } from '../src/errors.ts';
import { SETTINGS } from '../src/settings.ts';

type Env = Record<string, string | undefined>;

const REMOTE = { EDITS_API_URL: 'https://edits.example/v1', EDITS_API_KEY: 'sk-one' };

function problemsOf(env: Env): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('without any variable', () => {
  test('serves loopback with the embedded database and the sandbox', () => {
    expect(loadConfig({})).toEqual({
      role: 'all',
      http: {
        host: '127.0.0.1',
        port: 4000,
        publicUrl: null,
        allowedHosts: [],
        corsOrigins: [],
      },
      database: { kind: 'pglite', dir: './data' },
      dataDir: './data',
      storage: { kind: 'fs', dir: 'data/blobs' },
      secretKey: null,
      webhooks: { allowedHosts: [] },
      editsApi: { kind: 'sandbox', delayMs: 1_500 },
      models: { default: null, allowed: null, file: null },
      prices: { file: null },
      forwardMetadata: false,
      retentionDays: null,
      answerRetentionDays: 30,
      limits: {
        imageBytes: 26_214_400,
        imagePixels: 50_000_000,
        concurrentUploadBytes: 2_147_483_648,
        concurrentEdits: 16,
        queuedEdits: 10_000,
        editAttempts: 5,
        minFreeDiskBytes: 268_435_456,
        workerTimeoutMs: 30_000,
        editTimeoutMs: 600_000,
        shutdownGraceMs: 30_000,
      },
      logLevel: 'info',
    });
  });

  test('counts an empty variable as absent', () => {
    const empty = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, '']));
    expect(loadConfig(empty)).toEqual(loadConfig({}));
  });

  test('ignores variables that are not its own', () => {
    expect(loadConfig({ NODE_ENV: 'production', PATH: '/bin' })).toEqual(loadConfig({}));
  });
});

describe('what is set', () => {
  test('reaches the configuration, in its units', () => {
    const config = loadConfig({
      ...REMOTE,
      ROLE: 'api',
      HOST: '::1',
      ALLOWED_HOSTS: 'Retouch.example, [2001:DB8::1]',
      PORT: '0',
      PUBLIC_URL: 'https://retouch.example/',
      CORS_ORIGINS: 'https://app.example, http://localhost:5173',
      DATA_DIR: '/srv/retouch',
      DATABASE_URL: 'postgres://u:p@db/retouch',
      EDITS_API_URL: 'https://edits.example/v1//',
      EDITS_API_IMAGE_FIELD: 'image',
      EDITS_API_FIRST_HAND: 'true',
      DEFAULT_MODEL: 'gpt-image-2',
      ALLOWED_MODELS: ' gpt-image-2, my-model ,,',
      MODELS_FILE: 'models.json',
      PRICES_FILE: 'prices.json',
      FORWARD_METADATA: 'true',
      RETENTION_DAYS: '90',
      ANSWER_RETENTION_DAYS: '7',
      EDIT_TIMEOUT_SECONDS: '90',
      MAX_CONCURRENT_EDITS: '2',
      MAX_IMAGE_BYTES: '1000',
      MAX_IMAGE_PIXELS: '2000',
      MAX_CONCURRENT_UPLOAD_BYTES: '3000',
      SHUTDOWN_GRACE_SECONDS: '0',
      LOG_LEVEL: 'silent',
    });
    expect(config).toEqual({
      role: 'api',
      http: {
        host: '::1',
        port: 0,
        publicUrl: 'https://retouch.example',
        allowedHosts: ['retouch.example', '[2001:db8::1]'],
        corsOrigins: ['https://app.example', 'http://localhost:5173'],
      },
      database: {
        kind: 'postgres',
        url: 'postgres://u:p@db/retouch',
        directUrl: null,
        schema: 'public',
        poolSize: 5,
        queuePoolSize: 2,
      },
      dataDir: '/srv/retouch',
      storage: { kind: 'fs', dir: '/srv/retouch/blobs' },
      secretKey: null,
      webhooks: { allowedHosts: [] },
      editsApi: {
        kind: 'remote',
        url: 'https://edits.example/v1',
        key: 'sk-one',
        imageField: 'image',
        firstHand: true,
      },
      models: {
        default: 'gpt-image-2',
        allowed: ['gpt-image-2', 'my-model'],
        file: 'models.json',
      },
      prices: { file: 'prices.json' },
      forwardMetadata: true,
      retentionDays: 90,
      answerRetentionDays: 7,
      limits: {
        imageBytes: 1_000,
        imagePixels: 2_000,
        concurrentUploadBytes: 3_000,
        concurrentEdits: 2,
        queuedEdits: 10_000,
        editAttempts: 5,
        minFreeDiskBytes: 268_435_456,
        workerTimeoutMs: 30_000,
        editTimeoutMs: 90_000,
        shutdownGraceMs: 0,
      },
      logLevel: 'silent',
    });
  });

  test('cannot be changed afterwards', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });

  test.each([
    ['PORT', '65535'],
    ['SANDBOX_DELAY_MS', '600000'],
    ['EDIT_TIMEOUT_SECONDS', '3600'],
    ['EDIT_TIMEOUT_SECONDS', '1'],
    ['MAX_CONCURRENT_EDITS', '1000'],
    ['MAX_IMAGE_BYTES', '1073741824'],
    ['MAX_IMAGE_PIXELS', '1000000000'],
    ['SHUTDOWN_GRACE_SECONDS', '3600'],
    ['DATABASE_URL', 'postgresql://db/retouch'],
    ['PUBLIC_URL', 'http://localhost:4000'],
  ])('takes %s at its limit: %s', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([]);
  });
});

describe('what cannot work', () => {
  test.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '4000.5'],
    ['PORT', '0x10'],
    ['PUBLIC_URL', 'retouch.example'],
    ['PUBLIC_URL', 'ftp://retouch.example'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'app.example'],
    ['CORS_ORIGINS', 'https://app.example/'],
    ['CORS_ORIGINS', 'https://app.example, https://*.example/x'],
    ['ROLE', 'API'],
    ['ALLOW_ANONYMOUS', 'yes'],
    ['DATABASE_URL', 'mysql://db/retouch'],
    ['DATABASE_URL', 'postgres://u:pass word@db/retouch'],
    ['DATABASE_URL', 'postgres://u:p@db/retouch\n'],
    ['DATABASE_POOL_SIZE', '0'],
    ['QUEUE_POOL_SIZE', '1001'],
    ['EDITS_API_IMAGE_FIELD', 'file'],
    ['SANDBOX_DELAY_MS', '600001'],
    ['EDIT_TIMEOUT_SECONDS', '0'],
    ['EDIT_TIMEOUT_SECONDS', '3601'],
    ['MAX_CONCURRENT_EDITS', '0'],
    ['MAX_CONCURRENT_EDITS', '1001'],
    ['MAX_IMAGE_BYTES', '0'],
    ['MAX_IMAGE_BYTES', '1073741825'],
    ['MAX_IMAGE_BYTES', '25MB'],
    ['MAX_IMAGE_PIXELS', '1000000001'],
    ['SHUTDOWN_GRACE_SECONDS', '3601'],
    ['LOG_LEVEL', 'verbose'],
  ])('is refused by name, and told what it must be: %s=%s', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: must `));
  });

  test.each(['EDITS_API_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])(
    'is a secret that no header can carry: %s',
    (name) => {
      for (const value of ['key\n', '\nkey', 'a key', 'key\t', 'clé', 'key\u0000']) {
        expect(problemsOf({ [name]: value })).toContainEqual(
          `${name}: must not contain blanks, line breaks or characters other than ASCII`,
        );
      }
    },
  );

  test('is reported all at once, one line for each variable', () => {
    const env = { PORT: 'x', LOG_LEVEL: 'loud', DATABASE_URL: 'nowhere', HOST: '0.0.0.0' };
    expect(problemsOf(env).map((problem) => problem.split(/[: ]/)[0])).toEqual([
      'PORT',
      'DATABASE_URL',
      'LOG_LEVEL',
      'HOST',
    ]);
  });

  test('is told without repeating a value, which may be a secret in the wrong place', () => {
    const secret = 'sk-canary-secret';
    const names = Object.keys(SETTINGS).filter((name) => name !== 'HOST');
    for (const name of names) {
      expect(problemsOf({ [name]: secret }).join('\n')).not.toContain(secret);
    }
    const everywhere = Object.fromEntries(names.map((name) => [name, secret]));
    expect(problemsOf(everywhere).length).toBeGreaterThan(10);
    expect(problemsOf(everywhere).join('\n')).not.toContain(secret);
  });
});

describe('the edits API', () => {
  test('gets no key that names no server: a key alone is refused, and not repeated', () => {
    const [problem, ...others] = problemsOf({ EDITS_API_KEY: 'sk-canary' });
    expect(problem).toMatch(/^EDITS_API_URL is not set but EDITS_API_KEY is/);
    expect(problem).not.toContain('sk-canary');
    expect(others).toEqual([]);
  });

  test('needs a key: a URL alone is refused', () => {
    const [problem, ...others] = problemsOf({ EDITS_API_URL: REMOTE.EDITS_API_URL });
    expect(problem).toMatch(/^EDITS_API_KEY is not set but EDITS_API_URL is/);
    expect(others).toEqual([]);
  });

  test('has one problem when its URL is wrong, not two', () => {
    const problems = problemsOf({ ...REMOTE, EDITS_API_URL: 'edits.example' });
    expect(problems).toEqual(['EDITS_API_URL: must be an http:// or https:// URL']);
  });
});

describe('an address that others can reach', () => {
  test.each([
    '0.0.0.0',
    '::',
    '192.168.1.4',
    'retouch.example',
    '127.0.0.1.example',
    '::ffff:1.2.3.4',
  ])('is refused while nothing asks who they are: %s', (HOST) => {
    expect(isLoopback(HOST)).toBe(false);
    expect(problemsOf({ HOST })).toEqual([expect.stringContaining('ALLOW_ANONYMOUS=true')]);
    expect(problemsOf({ HOST, ALLOW_ANONYMOUS: 'false' })).toHaveLength(1);
    expect(problemsOf({ HOST, ALLOW_ANONYMOUS: 'true' })).toEqual([]);
  });

  test.each(['127.0.0.1', '127.8.9.10', '::1', 'localhost'])('is not this one: %s', (HOST) => {
    expect(isLoopback(HOST)).toBe(true);
    expect(loadConfig({ HOST }).http).toMatchObject({ host: HOST, allowedHosts: [] });
  });
});

describe('the names that are answered to', () => {
  test('are any where somebody else guards the network, unless they are listed', () => {
    const allowedHosts = (env: Record<string, string>) => loadConfig(env).http.allowedHosts;
    expect(allowedHosts({ ALLOW_ANONYMOUS: 'true' })).toBeNull();
    const ALLOWED_HOSTS = 'a.example,b.example';
    const listed = ['a.example', 'b.example'];
    expect(allowedHosts({ ALLOW_ANONYMOUS: 'true', ALLOWED_HOSTS })).toEqual(listed);
    expect(allowedHosts({ ALLOWED_HOSTS })).toEqual(listed);
  });

  test.each(['https://a.example', 'a.example:443', 'a.example/x', '*', '2001:db8::1'])(
    'are names and addresses alone, not %s',
    (ALLOWED_HOSTS) => {
      expect(problemsOf({ ALLOWED_HOSTS })).toEqual([
        expect.stringMatching(/^ALLOWED_HOSTS: must be names or addresses/),
      ]);
    },
  );
});

describe('a role that is a part of the whole', () => {
  const DATABASE_URL = 'postgres://db/retouch';
  const SECRET_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('hex');
  const PUBLIC_URL = 'https://retouch.example';

  test.each(['api', 'worker'])('needs a database that others can share: %s', (ROLE) => {
    const [problem, ...others] = problemsOf({ ROLE });
    expect(problem).toMatch(new RegExp(`^ROLE is ${ROLE} but DATABASE_URL is not set: .*ROLE=all`));
    expect(others).toEqual([]);
    expect(loadConfig({ ROLE, DATABASE_URL })).toMatchObject({ role: ROLE });
    expect(problemsOf({ ROLE, DATABASE_URL: 'nowhere' })).toEqual([
      'DATABASE_URL: must be a postgres:// URL',
    ]);
  });

  test('is refused along with everything else that is wrong', () => {
    const env = { ROLE: 'worker', SECRET_KEY, PORT: 'x', EDITS_API_KEY: 'sk-canary' };
    expect(problemsOf(env)).toEqual([
      expect.stringMatching(/^PORT: /),
      expect.stringMatching(/^EDITS_API_URL is not set/),
      expect.stringMatching(/^ROLE is worker but DATABASE_URL is not set/),
      expect.stringMatching(/^PUBLIC_URL is not set/),
    ]);
  });

  test('knows where the pictures are served when it is a worker that may send webhooks', () => {
    const worker = { ROLE: 'worker', DATABASE_URL, SECRET_KEY };
    expect(problemsOf(worker)).toEqual([expect.stringMatching(/^PUBLIC_URL is not set/)]);
    expect(problemsOf({ ...worker, PUBLIC_URL })).toEqual([]);
    expect(problemsOf({ ...worker, PUBLIC_URL: 'retouch' })).toHaveLength(1);
    expect(problemsOf({ ...worker, SECRET_KEY: '' })).toEqual([]);
    for (const ROLE of ['all', 'api']) expect(problemsOf({ ...worker, ROLE })).toEqual([]);
  });

  test('may show its health to others when it is a worker, and serve them nothing else', () => {
    const env = { HOST: '0.0.0.0', DATABASE_URL };
    expect(problemsOf({ ...env, ROLE: 'worker' })).toEqual([]);
    for (const ROLE of ['all', 'api']) expect(problemsOf({ ...env, ROLE })).toHaveLength(1);
  });
});

describe('STORAGE_URL', () => {
  const STORAGE_URL = 's3://pictures/live?endpoint=http://127.0.0.1:9000';
  const KEY = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'canary' };
  const LOCATION = {
    kind: 's3',
    bucket: 'pictures',
    prefix: 'live/',
    endpoint: 'http://127.0.0.1:9000',
    region: 'us-east-1',
    pathStyle: true,
  };

  test('puts the pictures into S3, by the key that is set or else by what the SDK finds', () => {
    expect(loadConfig({ STORAGE_URL }).storage).toEqual({ ...LOCATION, credentials: null });
    expect(loadConfig({ STORAGE_URL, ...KEY }).storage).toEqual({
      ...LOCATION,
      credentials: { accessKeyId: 'id', secretAccessKey: 'canary' },
    });
    expect(loadConfig({ STORAGE_URL, ...KEY, AWS_SESSION_TOKEN: 'token' }).storage).toMatchObject({
      credentials: { sessionToken: 'token' },
    });
  });

  test('is refused with half a key, or with a key inside, and the secret is not repeated', () => {
    for (const [missing, name] of [
      [{ AWS_ACCESS_KEY_ID: '' }, 'AWS_ACCESS_KEY_ID is not set'],
      [{ AWS_SECRET_ACCESS_KEY: '' }, 'AWS_SECRET_ACCESS_KEY is not set'],
    ] as const) {
      const problems = problemsOf({ STORAGE_URL, ...KEY, ...missing });
      expect(problems).toEqual([expect.stringContaining(name)]);
      expect(problems.join()).not.toContain('canary');
    }
    const problems = problemsOf({ STORAGE_URL: 's3://id:canary@pictures' });
    expect(problems).toEqual([expect.stringMatching(/^STORAGE_URL: .*credentials/)]);
    expect(problems.join()).not.toContain('canary');
  });

  test('is not asked for by AWS variables that are there for something else', () => {
    expect(loadConfig({ AWS_ACCESS_KEY_ID: 'id' })).toEqual(loadConfig({}));
  });
});

describe('DATABASE_URL', () => {
  const databaseOf = (env: Record<string, string>) => loadConfig(env).database;

  test('names the schema by ?schema=, and keeps its other parameters', () => {
    expect(
      databaseOf({ DATABASE_URL: 'postgres://u@db/x?sslmode=disable&schema=My-studio' }),
    ).toMatchObject({ url: 'postgres://u@db/x?sslmode=disable', schema: 'My-studio' });
    expect(databaseOf({ DATABASE_URL: 'postgres://u@db/x?schema=' })).toMatchObject({
      schema: 'public',
    });
  });

  test.each([
    ['a'.repeat(45), /at most 44 bytes/],
    ['画'.repeat(15), /at most 44 bytes/],
    [`a'b`, /without quotes/],
    ['a%22b', /without quotes/],
    ['a.b', /periods/],
    ['a$b', /dollar/],
    ['pg_catalog', /belongs to Postgres/],
    ['information_schema', /belongs to Postgres/],
  ])('refuses a schema that Postgres or the queue cannot have: %s', (schema, reason) => {
    const [problem, ...more] = problemsOf({ DATABASE_URL: `postgres://u:p@db/x?schema=${schema}` });
    expect(problem).toMatch(/^DATABASE_URL: /);
    expect(problem).toMatch(reason);
    expect(more).toEqual([]);
  });

  test('goes with a DATABASE_DIRECT_URL, which must lead to the same schema', () => {
    const url = 'postgres://u@pooler/x?schema=a';
    const direct = 'postgres://u@db/x';
    for (const DATABASE_DIRECT_URL of [direct, `${direct}?schema=a`]) {
      expect(databaseOf({ DATABASE_URL: url, DATABASE_DIRECT_URL })).toMatchObject({
        directUrl: direct,
        schema: 'a',
      });
    }
    expect(problemsOf({ DATABASE_URL: url, DATABASE_DIRECT_URL: `${direct}?schema=b` })).toEqual([
      expect.stringContaining('names another schema than DATABASE_URL'),
    ]);
    expect(problemsOf({ DATABASE_DIRECT_URL: direct })).toEqual([
      expect.stringContaining('DATABASE_DIRECT_URL is set but DATABASE_URL is not'),
    ]);
  });
});
