import { describe, expect, test } from 'vitest';
import { isLoopback, loadConfig } from '../../src/config/config.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { ConfigError } from '../../src/errors.ts';

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

const NO_AUTH = { apiKeys: false, header: null, issuers: [], issuersFile: null };

describe('without any variable', () => {
  test('serves loopback with the embedded database and the sandbox', () => {
    expect(loadConfig({})).toEqual({
      auth: NO_AUTH,
      metrics: null,
      role: 'all',
      http: {
        host: '127.0.0.1',
        port: 4000,
        publicUrl: null,
        prefix: '',
        trustedProxies: [],
        allowedHosts: [],
        corsOrigins: [],
        subgraphTypePrefix: '',
        graphiql: true,
      },
      database: { kind: 'pglite', dir: './data' },
      dataDir: './data',
      storage: { kind: 'fs', dir: 'data/blobs' },
      secretKey: null,
      previousSecretKeys: [],
      signedLinkSeconds: 604_800,
      persistedOperations: { file: null, only: false },
      webhooks: { allowedHosts: [] },
      editsApi: { kind: 'sandbox', delayMs: 1_500 },
      models: { default: null, allowed: null, file: null },
      prices: { file: null },
      forwardMetadata: false,
      retentionDays: null,
      answerRetentionDays: 30,
      auditRetentionDays: null,
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
      outboundProxies: { http: null, https: null, except: '' },
      warnings: [],
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
      PUBLIC_URL: 'https://retouch.example/edits/',
      TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8',
      HTTPS_PROXY: 'http://proxy.example:3128',
      NO_PROXY: 'db, .internal',
      CORS_ORIGINS: 'https://app.example, http://localhost:5173',
      SUBGRAPH_TYPE_PREFIX: 'Retouch',
      GRAPHIQL: 'false',
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
      auth: NO_AUTH,
      metrics: null,
      http: {
        host: '::1',
        port: 0,
        publicUrl: 'https://retouch.example/edits',
        prefix: '/edits',
        trustedProxies: ['127.0.0.1', '10.0.0.0/8'],
        allowedHosts: ['retouch.example', '[2001:db8::1]'],
        corsOrigins: ['https://app.example', 'http://localhost:5173'],
        subgraphTypePrefix: 'Retouch',
        graphiql: false,
      },
      database: {
        kind: 'postgres',
        url: 'postgres://u:p@db/retouch',
        directUrl: null,
        schema: 'public',
        poolSize: 5,
        queuePoolSize: 2,
        replica: null,
      },
      dataDir: '/srv/retouch',
      storage: { kind: 'fs', dir: '/srv/retouch/blobs' },
      secretKey: null,
      previousSecretKeys: [],
      signedLinkSeconds: 604_800,
      persistedOperations: { file: null, only: false },
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
      auditRetentionDays: null,
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
      outboundProxies: { http: null, https: 'http://proxy.example:3128', except: 'db, .internal' },
      warnings: [],
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
    ['GRAPHIQL', 'off'],
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
    ['MAX_IMAGE_BYTES', '25 lines'],
    ['MAX_IMAGE_BYTES', '-25MB'],
    ['MAX_IMAGE_BYTES', '2GB'],
    ['PUBLIC_URL', 'https://retouch.example/?x=1'],
    ['PUBLIC_URL', 'https://retouch.example/images'],
    ['TRUSTED_PROXIES', 'proxy.example'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0.0/8/8'],
    ['HTTPS_PROXY', 'proxy.example:3128'],
    ['MAX_IMAGE_PIXELS', '1000000001'],
    ['SHUTDOWN_GRACE_SECONDS', '3601'],
    ['SIGNED_LINK_DAYS', '0'],
    ['SIGNED_LINK_DAYS', '3651'],
    ['PREVIOUS_SECRET_KEYS', 'changeme'],
    ['LOG_LEVEL', 'verbose'],
  ] as const)('is refused by name, and told what it must be: %s=%s', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    const isSecret: boolean = 'secret' in SETTINGS[name];
    const start = isSecret ? `${name}: must ` : `${name} is ${JSON.stringify(value)}: must `;
    expect(problems[0]?.slice(0, start.length)).toBe(start);
  });

  test.each(['EDITS_API_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])(
    'is a secret that no header can carry: %s',
    (name) => {
      for (const value of ['key\n', '\nkey', 'a key', 'key\t', 'clé', 'key\u0000']) {
        expect(problemsOf({ [name]: value })).toContainEqual(
          expect.stringMatching(
            new RegExp(`^${name}: must (not contain|not begin or end with|contain only printable)`),
          ),
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

  test('is told without repeating what may be a secret in the wrong place', () => {
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
    expect(problem).toMatch(/^EDITS_API_KEY is set but EDITS_API_URL is not/);
    expect(problem).not.toContain('sk-canary');
    expect(others).toEqual([]);
  });

  test('needs a key: a URL alone is refused', () => {
    const [problem, ...others] = problemsOf({ EDITS_API_URL: REMOTE.EDITS_API_URL });
    expect(problem).toMatch(/^EDITS_API_URL is set but EDITS_API_KEY is not/);
    expect(others).toEqual([]);
  });

  test('has one problem when its URL is wrong, not two', () => {
    const problems = problemsOf({ ...REMOTE, EDITS_API_URL: 'edits.example' });
    expect(problems).toEqual([
      'EDITS_API_URL is "edits.example": must be an http:// or https:// URL such as https://api.openai.com/v1',
    ]);
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
        expect.stringMatching(/^ALLOWED_HOSTS is ".*": must be names or addresses/),
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
      expect.stringMatching(/^PORT is "x": /),
      expect.stringMatching(/^EDITS_API_KEY is set but EDITS_API_URL is not/),
      expect.stringMatching(/^ROLE is worker but DATABASE_URL is not set/),
      expect.stringMatching(/^ROLE is worker and SECRET_KEY is set, but PUBLIC_URL is not/),
    ]);
  });

  test('knows where the images are served when it is a worker that may send webhooks', () => {
    const worker = { ROLE: 'worker', DATABASE_URL, SECRET_KEY };
    expect(problemsOf(worker)).toEqual([
      expect.stringMatching(/^ROLE is worker and SECRET_KEY is set, but PUBLIC_URL is not/),
    ]);
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
  const STORAGE_URL = 's3://images/live?endpoint=http://127.0.0.1:9000';
  const KEY = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'canary' };
  const LOCATION = {
    kind: 's3',
    bucket: 'images',
    prefix: 'live/',
    endpoint: 'http://127.0.0.1:9000',
    region: 'us-east-1',
    pathStyle: true,
  };

  test('puts the images into S3, by the key that is set or else by what the SDK finds', () => {
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
      [{ AWS_ACCESS_KEY_ID: '' }, 'AWS_ACCESS_KEY_ID is not'],
      [{ AWS_SECRET_ACCESS_KEY: '' }, 'AWS_SECRET_ACCESS_KEY is not'],
    ] as const) {
      const problems = problemsOf({ STORAGE_URL, ...KEY, ...missing });
      expect(problems).toEqual([expect.stringContaining(name)]);
      expect(problems.join()).not.toContain('canary');
    }
    const problems = problemsOf({ STORAGE_URL: 's3://id:canary@images' });
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
      expect.stringContaining('DATABASE_DIRECT_URL and DATABASE_URL name different schemas'),
    ]);
    expect(problemsOf({ DATABASE_DIRECT_URL: direct })).toEqual([
      expect.stringContaining('DATABASE_DIRECT_URL is set but DATABASE_URL is not'),
    ]);
  });
});

describe('metrics', () => {
  test('are off without a port, and on loopback with one', () => {
    expect(loadConfig({ METRICS_HOST: '::' }).metrics).toBeNull();
    expect(loadConfig({ METRICS_PORT: '9464' }).metrics).toEqual({ host: '127.0.0.1', port: 9464 });
    const open = loadConfig({ METRICS_PORT: '9464', METRICS_HOST: '0.0.0.0' });
    expect(open.metrics).toEqual({ host: '0.0.0.0', port: 9464 });
  });

  test('cannot have the port of the API', () => {
    expect(problemsOf({ METRICS_PORT: '4000' })).toEqual([
      expect.stringContaining('METRICS_PORT and PORT are both 4000'),
    ]);
    expect(problemsOf({ METRICS_PORT: '4001', PORT: '4001' })).toHaveLength(1);
    expect(loadConfig({ METRICS_PORT: '0', PORT: '0' }).metrics?.port).toBe(0);
  });
});

describe('a mistake that is often made', () => {
  const ESCAPED = /^DATABASE_URL: .*percent-encode/;

  test.each([
    ['a line break in it', 'sk-can\nary', /must not contain a line break/],
    ['a line break behind it', 'sk-canary\n', /must not begin or end with white space/],
    ['a space before it', ' sk-canary', /must not begin or end with white space/],
    ['a space in it', 'sk-can ary', /must not contain spaces/],
    ['a no-break space in it', 'sk-can\u00a0ary', /must not contain spaces/],
    ['a zero-width space in it', 'sk-can\u200bary', /only printable ASCII/],
    ['the word Bearer before it', 'Bearer sk-canary', /must not begin with "Bearer"/],
    ['a whole header', 'Authorization: bearer sk-canary', /must not begin with "Bearer"/],
    ['quotation marks', '"sk-canary"', /in quotation marks/],
  ])('is refused and not repeated: a key with %s', (_, EDITS_API_KEY, reason) => {
    const problems = problemsOf({ ...REMOTE, EDITS_API_KEY });
    expect(problems).toEqual([expect.stringMatching(reason)]);
    expect(problems[0]).toMatch(/^EDITS_API_KEY: /);
    expect(problems[0]).not.toMatch(/can.?ary/);
  });

  test.each([
    'postgres://u:p@ss/w#rd@host/db',
    'postgres://u:canary/w@host/db',
    'postgres://u:12/34@host/db',
    'postgres://u:can#ary@host/db',
    'postgres://u:12#34@host:5432/db',
    'postgres://u:can?ary@host/db',
    'postgres://u:12?a=b@host/db',
    'postgres://u:can%ary@host/db',
    'postgres://u:100%@host/db',
    'postgresql://u:c@nary?x@host/db?sslmode=require',
  ])('is refused and not repeated: the unescaped password in %s', (DATABASE_URL) => {
    const problems = problemsOf({ DATABASE_URL });
    expect(problems).toEqual([expect.stringMatching(ESCAPED)]);
    for (const part of DATABASE_URL.slice(13)
      .split(/[@/#?:]/)
      .filter((one) => one.length > 2)) {
      if (!['host', 'sslmode=require'].includes(part)) expect(problems[0]).not.toContain(part);
    }
  });

  test.each([
    'postgres://u:p%40ss%2Fw%23rd@host/db',
    'postgres://u:p@ss@host/db',
    'postgres://user@tenant:p@host/db',
    'postgres://u:p:w@host:5432/db?sslmode=require',
    'postgres://host/db?user=me@example.com',
    'postgres://host:5432?user=me@example.com',
    'postgres:///db?host=/var/run/postgresql',
    'postgres://u:p%25@host/db?options=-c%20search_path%3Da',
    'postgresql://u@host/db?schema=retouch&application_name=a@b',
  ])('is not seen in a URL that works: %s', (DATABASE_URL) => {
    expect(problemsOf({ DATABASE_URL })).toEqual([]);
  });

  test.each([
    'https://edits.example/v1/images/edits',
    'https://edits.example/v1/images/edits/',
    'https://edits.example/v1/chat/completions',
    'https://edits.example/v1/models',
    'https://edits.example/v1#top',
  ])('is refused: %s as a base URL', (EDITS_API_URL) => {
    const [problem, ...others] = problemsOf({ ...REMOTE, EDITS_API_URL });
    expect(problem).toMatch(`EDITS_API_URL is ${JSON.stringify(EDITS_API_URL)}: must `);
    expect(others).toEqual([]);
  });

  test('does not show the password of a base URL that has one', () => {
    const [problem] = problemsOf({
      ...REMOTE,
      EDITS_API_URL: 'https://me:canary@edits.example/v1',
    });
    expect(problem).toBe(
      'EDITS_API_URL: must not contain a user name or password: set EDITS_API_KEY instead',
    );
  });

  test.each(['https://edits.example', 'https://edits.example/', 'https://edits.example/api'])(
    'is a warning where it may work: %s has no version',
    (EDITS_API_URL) => {
      const base = EDITS_API_URL.replace(/\/$/, '');
      expect(loadConfig({ ...REMOTE, EDITS_API_URL }).warnings).toEqual([
        `EDITS_API_URL is ${JSON.stringify(EDITS_API_URL)}: it has no version, such as /v1, so edits are sent to ${base}/images/edits. If the server responds with 404, try ${base}/v1.`,
      ]);
    },
  );

  test.each([
    'https://edits.example/v1',
    'https://edits.example/v1beta/',
    'https://edits.example/api/v3',
    'https://edits.example/v1/openai',
    'https://me.openai.azure.com/openai/deployments/gpt-image-1?api-version=2025-04-01-preview',
    'https://me.openai.azure.com/openai/v1/',
  ])('is not seen in a base URL with a version: %s', (EDITS_API_URL) => {
    expect(loadConfig({ ...REMOTE, EDITS_API_URL }).warnings).toEqual([]);
  });

  test.each([
    ['DEFAUL_MODEL', 'DEFAULT_MODEL'],
    ['DEFUALT_MODEL', 'DEFAULT_MODEL'],
    ['EDIT_API_KEY', 'EDITS_API_KEY'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['MAX_IMAGES_BYTE', 'MAX_IMAGE_BYTES'],
    ['default_model', 'DEFAULT_MODEL'],
    ['PROT', 'PORT'],
  ])('is a warning that names the setting: %s', (name, meant) => {
    expect(loadConfig({ [name]: 'x' }).warnings).toEqual([
      `${name} is not a setting of this service. Did you mean ${meant}?`,
    ]);
  });

  test('is not seen in the variables that an environment has anyway', () => {
    const names = [
      ...[
        'HOME',
        'HOSTNAME',
        'PATH',
        'PWD',
        'SHELL',
        'TERM',
        'USER',
        'LOGNAME',
        'LANG',
        'TZ',
        'CI',
      ],
      ...['FTP_PROXY', 'ALL_PROXY', 'ftp_proxy', 'http_proxy', 'no_proxy', 'NODE_ENV', 'PGHOST'],
      ...['AWS_REGION', 'AWS_PROFILE', 'KUBERNETES_PORT', 'MALLOC_ARENA_MAX', 'PS1', 'DISPLAY'],
    ];
    const env = Object.fromEntries(names.map((name) => [name, 'http://x.example']));
    expect(loadConfig(env).warnings).toEqual([]);
    expect(loadConfig({ DEFAUL_MODEL: '' }).warnings).toEqual([]);
  });
});

describe('a size', () => {
  test.each([
    ['25MB', 26_214_400],
    ['25MiB', 26_214_400],
    ['25 mb', 26_214_400],
    ['25M', 26_214_400],
    ['512kB', 524_288],
    ['0.5GB', 536_870_912],
    ['1.5k', 1_536],
    ['1000', 1_000],
    ['1000B', 1_000],
  ])('may have a unit, of powers of 1024: %s', (MAX_IMAGE_BYTES, bytes) => {
    expect(loadConfig({ MAX_IMAGE_BYTES }).limits.imageBytes).toBe(bytes);
  });
});

describe('proxies for outgoing requests', () => {
  test('are read from lower-case names first, as curl and undici do', () => {
    const env = { http_proxy: 'http://a.example', HTTP_PROXY: 'http://b.example', no_proxy: 'c' };
    expect(loadConfig(env).outboundProxies).toEqual({
      http: 'http://a.example',
      https: null,
      except: 'c',
    });
    expect(loadConfig({ ...env, http_proxy: '' }).outboundProxies.http).toBe('http://b.example');
  });

  test('are not repeated, as they may hold a password', () => {
    const problems = problemsOf({ https_proxy: 'socks5://me:canary@proxy.example' });
    expect(problems).toEqual([expect.stringMatching(/^HTTPS_PROXY: must be an http/)]);
    expect(problems[0]).not.toContain('canary');
  });
});
