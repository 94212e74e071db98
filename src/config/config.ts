import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { type AuthSettings, isAuthOn } from './auth-settings.ts';
import { authMethods, authProblems, readAuth } from './read-auth.ts';
import { editsApiUrlHint, misspelledSettings, shown } from './setting-mistakes.ts';
import {
  type Environment,
  SETTINGS,
  type Setting,
  type SettingName,
  type SettingValues as Values,
} from './settings.ts';
import type { S3Location } from './storage-url.ts';

/** Credentials of an account that may use the bucket. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** All settings (settings.ts), parsed once. */
export interface Config {
  /** `api` serves and runs no edits; `worker` runs edits and serves only its health. */
  readonly role: 'all' | 'api' | 'worker';
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Base of all links, without a trailing slash; null for the origin of each request. */
    readonly publicUrl: string | null;
    /** The path of `publicUrl`, such as `/retouch`; empty for the root. */
    readonly prefix: string;
    /** Addresses and CIDR blocks of the proxies whose X-Forwarded headers are trusted. */
    readonly trustedProxies: readonly string[];
    /**
     * Allowed Host headers besides this machine's names and publicUrl's, in lower case; null for
     * any.
     */
    readonly allowedHosts: readonly string[] | null;
    /** Origins whose pages may use the API, as browsers write them. */
    readonly corsOrigins: readonly string[];
    /** Of types of the subgraph. Empty: none. */
    readonly subgraphTypePrefix: string;
    /** Whether browsers get GraphiQL's page. */
    readonly graphiql: boolean;
  };
  /** Where to serve metrics; null for not at all. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
  readonly auth: AuthSettings;
  readonly persistedOperations: {
    /** JSON file with documents by their ids. */
    readonly file: string | null;
    /** Viewers who are not admins run no others. */
    readonly only: boolean;
  };
  readonly database:
    | {
        kind: 'postgres';
        url: string;
        /** Null if `url` does not connect through a transaction pooler. */
        directUrl: string | null;
        schema: string;
        poolSize: number;
        queuePoolSize: number;
        /** Null if reads that may lag go to `url`, too. */
        replica: { url: string; maxLagMs: number } | null;
      }
    | { kind: 'pglite'; dir: string };
  readonly dataDir: string;
  /** Where images are stored. */
  readonly storage:
    | { kind: 'fs'; dir: string }
    /** Null for the credentials that the SDK finds. */
    | ({ kind: 's3'; credentials: S3Credentials | null } & S3Location);
  /** Null if not set. */
  readonly secretKey: string | null;
  /** Decoded. What was signed with them is still valid. */
  readonly previousSecretKeys: readonly Uint8Array[];
  /** How long links to images in webhooks and exports work, if they are signed. */
  readonly signedLinkSeconds: number;
  readonly editsApi:
    | { kind: 'sandbox'; delayMs: number }
    /** Several upstreams in a JSON file. */
    | { kind: 'file'; path: string; firstHand: boolean | null }
    /** `firstHand` is null to decide by the host of `url`. */
    | {
        kind: 'remote';
        url: string;
        key: string;
        imageField: 'image' | 'image[]';
        firstHand: boolean | null;
      };
  readonly models: {
    /** Null to decide by the upstreams. */
    readonly default: string | null;
    /** Null for any. */
    readonly allowed: readonly string[] | null;
    readonly file: string | null;
  };
  /** Sends stored images to upstreams unchanged, with their metadata. */
  readonly forwardMetadata: boolean;
  /** Null to keep the history forever. */
  readonly retentionDays: number | null;
  /** Null to keep audit events forever. */
  readonly auditRetentionDays: number | null;
  /** For upstream responses without a readable image. */
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
  /** For requests to upstreams, to linked images and to webhooks. */
  readonly outboundProxies: {
    /** For http:// URLs; null for none. */
    readonly http: string | null;
    /** For https:// URLs; null to use `http`. */
    readonly https: string | null;
    /** Hosts that are reached without a proxy. */
    readonly except: string;
  };
  /** Possible mistakes that do not prevent the start, as sentences for the log. */
  readonly warnings: readonly string[];
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}

/**
 * Reads the environment. An empty variable counts as absent, because compose files write it that
 * way.
 * @throws ConfigError with all problems at once, each naming its variable.
 */
export function loadConfig(given: Environment): Config {
  const env = withLowerCaseProxies(given);
  const problems: string[] = [];
  const values = readValues(env, problems);
  problems.push(...editsApiProblems(values, env), ...hostProblems(values, env));
  problems.push(...portProblems(values));
  problems.push(...roleProblems(values, env), ...databaseProblems(values, env));
  problems.push(...operationsProblems(values, env));
  problems.push(...storageProblems(values), ...authProblems(values, env));
  if (problems.length > 0) throw new ConfigError(problems);

  const defaulted = <Name extends SettingName>(name: Name) =>
    values[name] as NonNullable<Values[Name]>;
  const dataDir = defaulted('DATA_DIR');
  const auth = readAuth(values);
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
        // A page under another name has no credentials for this service.
        (defaulted('ALLOW_ANONYMOUS') || isAuthOn(auth) ? null : []),
      corsOrigins: values.CORS_ORIGINS ?? [],
      subgraphTypePrefix: values.SUBGRAPH_TYPE_PREFIX ?? '',
      graphiql: defaulted('GRAPHIQL'),
    },
    metrics:
      values.METRICS_PORT === undefined
        ? null
        : { host: defaulted('METRICS_HOST'), port: values.METRICS_PORT },
    auth,
    persistedOperations: {
      file: values.PERSISTED_OPERATIONS_FILE ?? null,
      only: defaulted('PERSISTED_OPERATIONS_ONLY'),
    },
    database: readDatabase(),
    dataDir,
    storage: readStorage(values, dataDir),
    editsApi: readEditsApi(),
    secretKey: values.SECRET_KEY ?? null,
    previousSecretKeys: values.PREVIOUS_SECRET_KEYS ?? [],
    signedLinkSeconds: defaulted('SIGNED_LINK_DAYS') * 24 * 60 * 60,
    models: {
      default: values.DEFAULT_MODEL ?? null,
      allowed: values.ALLOWED_MODELS ?? null,
      file: values.MODELS_FILE ?? null,
    },
    forwardMetadata: defaulted('FORWARD_METADATA'),
    retentionDays: values.RETENTION_DAYS ?? null,
    auditRetentionDays: values.AUDIT_RETENTION_DAYS ?? null,
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
    const { DATABASE_REPLICA_URL: replica } = values;
    if (location === undefined) return { kind: 'pglite', dir: dataDir };
    return {
      kind: 'postgres',
      ...location,
      directUrl: direct?.url ?? null,
      poolSize: defaulted('DATABASE_POOL_SIZE'),
      queuePoolSize: defaulted('QUEUE_POOL_SIZE'),
      replica: replica
        ? { url: replica.url, maxLagMs: defaulted('DATABASE_REPLICA_MAX_LAG_SECONDS') * 1_000 }
        : null,
    };
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

function readStorage(values: Values, dataDir: string): Config['storage'] {
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

/** Reads each variable separately, so that one invalid value does not hide the next. */
function readValues(env: Environment, problems: string[]): Values {
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    // White space around a value is never intended. Around a secret it is reported.
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

/** The lower-case names take precedence, as in undici and curl. */
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

// Problems between several variables. A variable that is invalid by itself counts as set.

function* editsApiProblems(values: Values, env: Environment): Generator<string> {
  const { EDITS_API_FILE: file, EDITS_API_URL: url, EDITS_API_KEY: key } = values;
  if (key !== undefined && !env['EDITS_API_URL']) {
    yield 'EDITS_API_KEY is set but EDITS_API_URL is not: set the URL that the key is for (such as https://api.openai.com/v1), or unset the key to use the sandbox.';
  }
  if (url !== undefined && !env['EDITS_API_KEY']) {
    yield 'EDITS_API_URL is set but EDITS_API_KEY is not: set the API key for that URL.';
  }
  if (file !== undefined && (url !== undefined || key !== undefined)) {
    yield 'EDITS_API_FILE cannot be combined with EDITS_API_URL or EDITS_API_KEY: put every upstream into the file, or unset it.';
  }
}

function* hostProblems(values: Values, env: Environment): Generator<string> {
  const { HOST: host, ALLOW_ANONYMOUS, ROLE } = values;
  // A worker serves only its health.
  if (host === undefined || isLoopback(host) || ALLOW_ANONYMOUS === true || ROLE === 'worker')
    return;
  if (authMethods(env).length > 0) return;
  yield `HOST is ${JSON.stringify(host)}, which other machines can reach, and authentication is off: use 127.0.0.1, set AUTH_API_KEYS=true or another method of docs/access.md, or set ALLOW_ANONYMOUS=true if that network is protected by other means.`;
}

function* portProblems({ PORT, METRICS_PORT }: Values): Generator<string> {
  if (METRICS_PORT === undefined || METRICS_PORT === 0 || METRICS_PORT !== PORT) return;
  yield `METRICS_PORT and PORT are both ${PORT}: metrics need a port of their own. Set another METRICS_PORT.`;
}

function* roleProblems({ ROLE: role, SECRET_KEY }: Values, env: Environment): Generator<string> {
  if (role === undefined || role === 'all') return;
  if (!env['DATABASE_URL']) {
    yield `ROLE is ${role} but DATABASE_URL is not set: the embedded database serves one process only. Set DATABASE_URL to a Postgres server, or ROLE=all.`;
  }
  if (role === 'worker' && SECRET_KEY !== undefined && !env['PUBLIC_URL']) {
    yield 'ROLE is worker and SECRET_KEY is set, but PUBLIC_URL is not: webhooks link to images, which a worker does not serve. Set PUBLIC_URL to the URL at which clients reach the API.';
  }
}

function* databaseProblems(values: Values, env: Environment): Generator<string> {
  const { DATABASE_URL: url, DATABASE_DIRECT_URL: direct, DATABASE_REPLICA_URL: replica } = values;
  if (direct !== undefined && !env['DATABASE_URL']) {
    yield 'DATABASE_DIRECT_URL is set but DATABASE_URL is not: set DATABASE_URL to the pooler, or to the same URL.';
  }
  if (replica !== undefined && !env['DATABASE_URL']) {
    yield 'DATABASE_REPLICA_URL is set but DATABASE_URL is not: set DATABASE_URL to the primary.';
  }
  for (const [name, other] of Object.entries({
    DATABASE_DIRECT_URL: direct,
    DATABASE_REPLICA_URL: replica,
  })) {
    if (url === undefined || other === undefined) continue;
    if (other.schema === 'public' || other.schema === url.schema) continue;
    yield `${name} and DATABASE_URL name different schemas: both must name the same one.`;
  }
}

function* operationsProblems(values: Values, env: Environment): Generator<string> {
  if (values.PERSISTED_OPERATIONS_ONLY !== true) return;
  if (!env['PERSISTED_OPERATIONS_FILE']) {
    yield 'PERSISTED_OPERATIONS_ONLY is true but PERSISTED_OPERATIONS_FILE is not set: set the file with the operations.';
  }
  if (authMethods(env).length === 0) {
    yield 'PERSISTED_OPERATIONS_ONLY is true but authentication is off, so every viewer is an admin, who may run any operation: turn authentication on (docs/access.md), or unset it.';
  }
}

function* storageProblems(values: Values): Generator<string> {
  const { STORAGE_URL: location, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = values;
  if (location === undefined || (id === undefined) === (secret === undefined)) return;
  const [missing, set] = id === undefined ? ['ID', 'SECRET'] : ['SECRET', 'ID'];
  const nameOf = (part: string) => (part === 'ID' ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY');
  yield `${nameOf(set)} is set but ${nameOf(missing)} is not: set both, or neither to use the credentials that the AWS SDK finds.`;
}

/**
 * Only a literal loopback address or `localhost`, so that the result does not depend on a resolver.
 */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
