import { join } from 'node:path';
import type { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { editsApiUrlHint, misspelledSettings, shown } from './setting-mistakes.ts';
import { SETTINGS, type Setting } from './settings.ts';
import type { S3Location } from './storage-url.ts';

/** Of an account that may use the bucket. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Everything that can be set (settings.ts), parsed once. */
export interface Config {
  /** `api`: serves, and runs nothing. `worker`: runs edits, and serves its health only. */
  readonly role: 'all' | 'api' | 'worker';
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** What links begin with, without a slash at the end; null: each request's own origin. */
    readonly publicUrl: string | null;
    /** The path of `publicUrl`, such as `/retouch`; empty: the root. */
    readonly prefix: string;
    /** Addresses and CIDR blocks of the proxies whose X-Forwarded headers are believed. */
    readonly trustedProxies: readonly string[];
    /** Of the Host header, besides this machine's own and publicUrl's, in lower case; null: any. */
    readonly allowedHosts: readonly string[] | null;
    /** Origins whose pages may use the API, as browsers write them. */
    readonly corsOrigins: readonly string[];
    /** Of types of the subgraph. Empty: none. */
    readonly subgraphTypePrefix: string;
  };
  readonly database:
    | {
        kind: 'postgres';
        url: string;
        /** Null: `url` leads to no transaction pooler. */
        directUrl: string | null;
        schema: string;
        poolSize: number;
        queuePoolSize: number;
      }
    | { kind: 'pglite'; dir: string };
  readonly dataDir: string;
  /** Of the pictures. */
  readonly storage:
    | { kind: 'fs'; dir: string }
    /** Null: wherever the SDK finds some. */
    | ({ kind: 's3'; credentials: S3Credentials | null } & S3Location);
  /** Null: none was set. */
  readonly secretKey: string | null;
  readonly editsApi:
    | { kind: 'sandbox'; delayMs: number }
    /** Several, in a JSON file. */
    | { kind: 'file'; path: string; firstHand: boolean | null }
    /** `firstHand` null: by the host of `url`. */
    | {
        kind: 'remote';
        url: string;
        key: string;
        imageField: 'image' | 'image[]';
        firstHand: boolean | null;
      };
  readonly models: {
    /** Null: by the upstreams. */
    readonly default: string | null;
    /** Null: any. */
    readonly allowed: readonly string[] | null;
    readonly file: string | null;
  };
  /** Sends stored images to the upstreams as they are, with their metadata. */
  readonly forwardMetadata: boolean;
  /** Null: the history is kept for ever. */
  readonly retentionDays: number | null;
  /** Of responses of the edits API that could not be read. */
  readonly answerRetentionDays: number;
  readonly prices: {
    readonly file: string | null;
  };
  readonly webhooks: {
    /** `host` or `host:port`. */
    readonly allowedHosts: readonly string[];
  };
  readonly limits: {
    readonly imageBytes: number;
    readonly imagePixels: number;
    readonly concurrentUploadBytes: number;
    readonly concurrentEdits: number;
    readonly queuedEdits: number;
    readonly editAttempts: number;
    readonly editTimeoutMs: number;
    readonly shutdownGraceMs: number;
    readonly workerTimeoutMs: number;
    readonly minFreeDiskBytes: number;
  };
  /** For requests to edits APIs, to the images that they link to, and to webhooks. */
  readonly outboundProxies: {
    /** For http:// URLs; null: none. */
    readonly http: string | null;
    /** For https:// URLs; null: `http`. */
    readonly https: string | null;
    /** Hosts that are reached directly. */
    readonly except: string;
  };
  /** What may be a mistake, but may as well work: sentences for the log. */
  readonly warnings: readonly string[];
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}

type SettingName = keyof typeof SETTINGS;
type Values = { [Name in SettingName]?: z.output<(typeof SETTINGS)[Name]['schema']> };
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment. An empty variable counts as absent, as compose files write it.
 * @throws ConfigError with every problem at once, each naming its variable.
 */
export function loadConfig(given: Environment): Config {
  const env = withLowerCaseProxies(given);
  const problems: string[] = [];
  const values = readValues(env, problems);
  problems.push(...editsApiProblems(values, env), ...hostProblems(values));
  problems.push(...roleProblems(values, env), ...databaseProblems(values, env));
  problems.push(...storageProblems(values));
  if (problems.length > 0) throw new ConfigError(problems);

  const defaulted = <Name extends SettingName>(name: Name) =>
    values[name] as NonNullable<Values[Name]>;
  const dataDir = defaulted('DATA_DIR');
  const publicUrl = values.PUBLIC_URL?.replace(/\/+$/, '') ?? null;
  return Object.freeze<Config>({
    role: defaulted('ROLE'),
    http: {
      host: defaulted('HOST'),
      port: defaulted('PORT'),
      publicUrl,
      prefix: publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/$/, ''),
      trustedProxies: values.TRUSTED_PROXIES ?? [],
      allowedHosts:
        values.ALLOWED_HOSTS?.map((host) => host.toLowerCase()) ??
        (defaulted('ALLOW_ANONYMOUS') ? null : []),
      corsOrigins: values.CORS_ORIGINS ?? [],
      subgraphTypePrefix: values.SUBGRAPH_TYPE_PREFIX ?? '',
    },
    database: readDatabase(),
    dataDir,
    storage: readStorage(),
    editsApi: readEditsApi(),
    secretKey: values.SECRET_KEY ?? null,
    models: {
      default: values.DEFAULT_MODEL ?? null,
      allowed: values.ALLOWED_MODELS ?? null,
      file: values.MODELS_FILE ?? null,
    },
    forwardMetadata: defaulted('FORWARD_METADATA'),
    retentionDays: values.RETENTION_DAYS ?? null,
    answerRetentionDays: defaulted('ANSWER_RETENTION_DAYS'),
    prices: { file: values.PRICES_FILE ?? null },
    webhooks: { allowedHosts: values.WEBHOOK_ALLOWED_HOSTS ?? [] },
    limits: {
      imageBytes: defaulted('MAX_IMAGE_BYTES'),
      imagePixels: defaulted('MAX_IMAGE_PIXELS'),
      concurrentUploadBytes: defaulted('MAX_CONCURRENT_UPLOAD_BYTES'),
      concurrentEdits: defaulted('MAX_CONCURRENT_EDITS'),
      queuedEdits: defaulted('MAX_QUEUED_EDITS'),
      editAttempts: defaulted('MAX_EDIT_ATTEMPTS'),
      editTimeoutMs: defaulted('EDIT_TIMEOUT_SECONDS') * 1_000,
      shutdownGraceMs: defaulted('SHUTDOWN_GRACE_SECONDS') * 1_000,
      workerTimeoutMs: defaulted('WORKER_TIMEOUT_SECONDS') * 1_000,
      minFreeDiskBytes: defaulted('MIN_FREE_DISK_BYTES'),
    },
    outboundProxies: {
      http: values.HTTP_PROXY ?? null,
      https: values.HTTPS_PROXY ?? null,
      except: values.NO_PROXY ?? '',
    },
    warnings: [...warningsOf(values, given)],
    logLevel: defaulted('LOG_LEVEL'),
  });

  function readDatabase(): Config['database'] {
    const { DATABASE_URL: location, DATABASE_DIRECT_URL: direct } = values;
    if (location === undefined) return { kind: 'pglite', dir: dataDir };
    return {
      kind: 'postgres',
      ...location,
      directUrl: direct?.url ?? null,
      poolSize: defaulted('DATABASE_POOL_SIZE'),
      queuePoolSize: defaulted('QUEUE_POOL_SIZE'),
    };
  }

  function readStorage(): Config['storage'] {
    const { STORAGE_URL: location, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = values;
    if (location === undefined) return { kind: 'fs', dir: join(dataDir, 'blobs') };
    if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
      return { kind: 's3', ...location, credentials: null };
    }
    const { AWS_SESSION_TOKEN: sessionToken } = values;
    const credentials = {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(sessionToken !== undefined && { sessionToken }),
    };
    return { kind: 's3', ...location, credentials };
  }

  function readEditsApi(): Config['editsApi'] {
    const { EDITS_API_FILE: path, EDITS_API_URL: url, EDITS_API_KEY: key } = values;
    const firstHand = values.EDITS_API_FIRST_HAND ?? null;
    if (path !== undefined) return { kind: 'file', path, firstHand };
    if (url === undefined || key === undefined) {
      return { kind: 'sandbox', delayMs: defaulted('SANDBOX_DELAY_MS') };
    }
    const imageField = defaulted('EDITS_API_IMAGE_FIELD');
    return { kind: 'remote', url: url.replace(/\/+$/, ''), key, imageField, firstHand };
  }
}

/** Reads each variable by itself, so that one bad value does not hide the next. */
function readValues(env: Environment, problems: string[]): Values {
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    // Blanks around a value are never meant. Around a secret they are reported.
    const written = (setting.secret ? env[name] : env[name]?.trim()) || setting.default;
    if (written === undefined) continue;
    const parsed = setting.schema.safeParse(written);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      const reasons = parsed.error.issues.map((issue) => issue.message).join('; ');
      problems.push(`${name}${setting.secret ? '' : shown(written)}: ${reasons}`);
    }
  }
  return values;
}

/** undici, curl and others take the lower-case names first. */
function withLowerCaseProxies(env: Environment): Environment {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
  const lower = names.map((name) => [name, env[name.toLowerCase()] || env[name]]);
  return { ...env, ...Object.fromEntries(lower) };
}

function* warningsOf({ EDITS_API_URL: url }: Values, env: Environment): Generator<string> {
  const hint = url === undefined ? null : editsApiUrlHint(url);
  if (hint !== null) yield `EDITS_API_URL is ${JSON.stringify(url)}: it ${hint}`;
  const set = Object.keys(env).filter((name) => env[name]);
  for (const { name, meant } of misspelledSettings(set, KNOWN)) {
    yield `${name} is not a setting of this service. Did you mean ${meant}?`;
  }
}

const KNOWN = [...Object.keys(SETTINGS), 'https_proxy', 'http_proxy', 'no_proxy'];

// What follows is wrong between several variables. One that is wrong by itself counts as set.

function* editsApiProblems(values: Values, env: Environment): Generator<string> {
  const { EDITS_API_FILE: file, EDITS_API_URL: url, EDITS_API_KEY: key } = values;
  if (key !== undefined && !env['EDITS_API_URL']) {
    yield 'EDITS_API_URL is not set but EDITS_API_KEY is: name the server that the key is for (such as https://api.openai.com/v1), or unset the key to use the sandbox.';
  }
  if (url !== undefined && !env['EDITS_API_KEY']) {
    yield 'EDITS_API_KEY is not set but EDITS_API_URL is: set the key of that edits API.';
  }
  if (file !== undefined && (url !== undefined || key !== undefined)) {
    yield 'EDITS_API_FILE is set along with EDITS_API_URL or EDITS_API_KEY: put every edits API into the file, or unset it.';
  }
}

function* hostProblems({ HOST: host, ALLOW_ANONYMOUS, ROLE }: Values): Generator<string> {
  // A worker tells of its health only.
  if (host === undefined || isLoopback(host) || ALLOW_ANONYMOUS === true || ROLE === 'worker')
    return;
  yield `HOST is ${JSON.stringify(host)}, which others can reach, and nothing asks who they are: use 127.0.0.1, or set ALLOW_ANONYMOUS=true if somebody else guards that network.`;
}

function* roleProblems({ ROLE: role, SECRET_KEY }: Values, env: Environment): Generator<string> {
  if (role === undefined || role === 'all') return;
  if (!env['DATABASE_URL']) {
    yield `ROLE is ${role} but DATABASE_URL is not set: the embedded database serves one process only. Set the URL of a Postgres server, or ROLE=all.`;
  }
  if (role === 'worker' && SECRET_KEY !== undefined && !env['PUBLIC_URL']) {
    yield 'PUBLIC_URL is not set but SECRET_KEY is, and ROLE is worker: webhooks link to pictures, which a worker does not serve. Set the origin that clients reach the API at.';
  }
}

function* databaseProblems(values: Values, env: Environment): Generator<string> {
  const { DATABASE_URL: url, DATABASE_DIRECT_URL: direct } = values;
  if (direct === undefined) return;
  if (!env['DATABASE_URL']) {
    yield 'DATABASE_DIRECT_URL is set but DATABASE_URL is not: set DATABASE_URL to the pooler, or to the same.';
  }
  if (url !== undefined && direct.schema !== 'public' && direct.schema !== url.schema) {
    yield 'DATABASE_DIRECT_URL names another schema than DATABASE_URL: both must lead to the same.';
  }
}

function* storageProblems(values: Values): Generator<string> {
  const { STORAGE_URL: location, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = values;
  if (location === undefined || (id === undefined) === (secret === undefined)) return;
  const [missing, there] = id === undefined ? ['ID', 'SECRET'] : ['SECRET', 'ID'];
  const nameOf = (part: string) => (part === 'ID' ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY');
  yield `${nameOf(missing)} is not set but ${nameOf(there)} is: set both, or neither to leave them to the AWS SDK.`;
}

/** Only a literal loopback address or `localhost`, so that no resolver has a say. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
