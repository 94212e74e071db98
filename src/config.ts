import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { parseSecretKey } from './secret-key.ts';

/**
 * Everything that can be set, parsed once. The descriptions are the README's table and .env.example;
 * a test keeps the three alike.
 */
export interface Config {
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Origin of the links in answers; null: taken from each request. */
    readonly publicUrl: string | null;
    /** The network is guarded by somebody else: any Host header is served. */
    readonly allowAnonymous: boolean;
  };
  readonly database: { kind: 'postgres'; url: string } | { kind: 'pglite'; dir: string };
  readonly dataDir: string;
  /** Null: none was set. */
  readonly secretKey: string | null;
  readonly editsApi:
    | { kind: 'sandbox'; delayMs: number }
    /** Several, in a JSON file. */
    | { kind: 'file'; path: string }
    | { kind: 'remote'; url: string; key: string; imageField: 'image' | 'image[]' };
  readonly models: {
    readonly default: string;
    /** Null: any. */
    readonly allowed: readonly string[] | null;
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
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));
const webUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });
const text = z.string().min(1);
const list = text.transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

interface Setting {
  readonly schema: z.ZodType;
  /** As it would be written in the environment; absent: no default. */
  readonly default?: string;
  readonly description: string;
}

/** Every environment variable that is read, in the order of the README's table. */
export const SETTINGS = {
  HOST: {
    schema: text,
    default: '127.0.0.1',
    description: 'Address to listen on. Other than loopback only with `ALLOW_ANONYMOUS=true`.',
  },
  PORT: { schema: integer(0, 65_535), default: '4000', description: 'Port to listen on.' },
  PUBLIC_URL: {
    schema: webUrl,
    description:
      'Origin that clients reach the service at, for the picture links. Default: the request’s own.',
  },
  ALLOW_ANONYMOUS: {
    schema: z
      .enum(['true', 'false'], 'must be true or false')
      .transform((value) => value === 'true'),
    default: 'false',
    description:
      '`true` serves everybody who can reach `HOST`: for a network that somebody else guards.',
  },
  DATA_DIR: {
    schema: text,
    default: './data',
    description: 'Directory of the pictures and of the embedded database.',
  },
  DATABASE_URL: {
    schema: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }),
    description: 'A Postgres server (14 or newer). Default: Postgres embedded, in `DATA_DIR`.',
  },
  SECRET_KEY: {
    schema: text.refine(
      (value) => parseSecretKey(value) !== null,
      'must be at least 32 random bytes as base64 or hex, such as `openssl rand -base64 32` prints',
    ),
    description:
      'At least 32 random bytes as base64 or hex, from which webhook secrets are derived; the same for all processes. Default: made once and kept in `DATA_DIR`; with `DATABASE_URL` none, and no webhooks.',
  },
  EDITS_API_URL: {
    schema: webUrl,
    description: 'Base URL of the edits API, ending in `/v1`. Default: the built-in sandbox.',
  },
  EDITS_API_KEY: { schema: text, description: 'Key for `EDITS_API_URL`.' },
  EDITS_API_FILE: {
    schema: text,
    description:
      'JSON file with several edits APIs, in place of the variables above: see docs/upstreams.md.',
  },
  EDITS_API_IMAGE_FIELD: {
    schema: z.enum(['image[]', 'image'], 'must be image[] or image'),
    default: 'image[]',
    description: 'Form field of several pictures; some compatible servers want `image` repeated.',
  },
  SANDBOX_DELAY_MS: {
    schema: integer(0, 600_000),
    default: '1500',
    description: 'How long the sandbox takes for an edit, in milliseconds.',
  },
  DEFAULT_MODEL: {
    schema: text,
    default: 'gpt-image-1',
    description: 'Model of an edit that names none.',
  },
  ALLOWED_MODELS: {
    schema: list,
    description: 'Comma-separated models that may be asked for. Default: any.',
  },
  MODELS_FILE: {
    schema: text,
    description: 'JSON file that adds or overrides models: see docs/models.md.',
  },
  WEBHOOK_ALLOWED_HOSTS: {
    schema: list.refine(
      (hosts) => hosts.every((host) => /^(\[[\da-f:.]+\]|[^\s:/?#@[\]]+)(:\d{1,5})?$/i.test(host)),
      'must be hosts or host:port, separated by commas',
    ),
    description:
      'Comma-separated hosts (`host` or `host:port`) that webhooks may go to although they are not public, also by plain http. Default: none.',
  },
  EDIT_TIMEOUT_SECONDS: {
    schema: integer(1, 3_600),
    default: '600',
    description: 'Longest wait for the edits API’s whole answer, in seconds.',
  },
  MAX_CONCURRENT_EDITS: {
    schema: integer(1, 1_000),
    default: '16',
    description: 'Edits that this process runs at once; further ones wait in the queue.',
  },
  MAX_QUEUED_EDITS: {
    schema: integer(1, 1_000_000),
    default: '10000',
    description: 'Edits that may wait in the queue; beyond that new ones are answered 503.',
  },
  MAX_EDIT_ATTEMPTS: {
    schema: integer(1, 100),
    default: '5',
    description:
      'How often an edit is sent in all, while the edits API surely has not processed it (429, 503, no connection).',
  },
  MAX_IMAGE_BYTES: {
    schema: integer(1, 1_073_741_824),
    default: '26214400',
    description: 'Largest picture, in bytes (25 MiB). A model’s own limit may be lower.',
  },
  MAX_IMAGE_PIXELS: {
    schema: integer(1, 1_000_000_000),
    default: '50000000',
    description: 'Largest picture, in pixels (width times height).',
  },
  MAX_CONCURRENT_UPLOAD_BYTES: {
    schema: integer(1, Number.MAX_SAFE_INTEGER),
    default: '2147483648',
    description:
      'Uploads that this process reads at once, in bytes (2 GiB); each counts as at least 8 MiB. Beyond that new ones are answered 503 before they are read.',
  },
  SHUTDOWN_GRACE_SECONDS: {
    schema: integer(0, 3_600),
    default: '30',
    description: 'How long a stop waits for running edits, in seconds.',
  },
  WORKER_TIMEOUT_SECONDS: {
    schema: integer(3, 3_600),
    default: '30',
    description:
      'With several processes on one Postgres: how long one may give no sign of life before the others end its edits, in seconds. The same in all of them.',
  },
  MIN_FREE_DISK_BYTES: {
    schema: integer(0, Number.MAX_SAFE_INTEGER),
    default: '268435456',
    description:
      'Edits wait in the queue while the disk of `DATA_DIR` has less room than this, in bytes (256 MiB), so that nothing is paid for that cannot be kept. `0`: never.',
  },
  LOG_LEVEL: {
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    default: 'info',
    description: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.',
  },
} as const satisfies Record<string, Setting>;

type SettingName = keyof typeof SETTINGS;
type Values = { [Name in SettingName]?: z.output<(typeof SETTINGS)[Name]['schema']> };

/**
 * Reads the environment. An empty variable counts as absent, as compose files write it.
 * @throws ConfigError with every problem at once, each naming its variable.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values = readValues(env, problems);
  const defaulted = <Name extends SettingName>(name: Name) =>
    values[name] as NonNullable<Values[Name]>;

  const { EDITS_API_URL: url, EDITS_API_KEY: key } = values;
  if (key !== undefined && url === undefined && !env['EDITS_API_URL']) {
    problems.push(
      'EDITS_API_URL is not set but EDITS_API_KEY is: name the server that the key is for (such as https://api.openai.com/v1), or unset the key to use the sandbox.',
    );
  }
  if (url !== undefined && key === undefined) {
    problems.push('EDITS_API_KEY is not set but EDITS_API_URL is: set the key of that edits API.');
  }
  const file = values.EDITS_API_FILE;
  if (file !== undefined && (url !== undefined || key !== undefined)) {
    problems.push(
      'EDITS_API_FILE is set along with EDITS_API_URL or EDITS_API_KEY: put every edits API into the file, or unset it.',
    );
  }
  const host = defaulted('HOST');
  const allowAnonymous = defaulted('ALLOW_ANONYMOUS');
  if (host !== undefined && !isLoopback(host) && allowAnonymous !== true) {
    problems.push(
      `HOST is ${JSON.stringify(host)}, which others can reach, and nothing asks who they are: use 127.0.0.1, or set ALLOW_ANONYMOUS=true if somebody else guards that network.`,
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);

  const dataDir = defaulted('DATA_DIR');
  const databaseUrl = values.DATABASE_URL;
  return Object.freeze<Config>({
    http: {
      host,
      port: defaulted('PORT'),
      publicUrl: values.PUBLIC_URL?.replace(/\/+$/, '') ?? null,
      allowAnonymous,
    },
    database: databaseUrl
      ? { kind: 'postgres', url: databaseUrl }
      : { kind: 'pglite', dir: dataDir },
    dataDir,
    editsApi: readEditsApi(),
    secretKey: values.SECRET_KEY ?? null,
    models: {
      default: defaulted('DEFAULT_MODEL'),
      allowed: values.ALLOWED_MODELS ?? null,
      file: values.MODELS_FILE ?? null,
    },
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
    logLevel: defaulted('LOG_LEVEL'),
  });

  function readEditsApi(): Config['editsApi'] {
    if (file !== undefined) return { kind: 'file', path: file };
    if (url === undefined || key === undefined) {
      return { kind: 'sandbox', delayMs: defaulted('SANDBOX_DELAY_MS') };
    }
    const imageField = defaulted('EDITS_API_IMAGE_FIELD');
    return { kind: 'remote', url: url.replace(/\/+$/, ''), key, imageField };
  }
}

/** Reads each variable by itself, so that one bad value does not hide the next. */
function readValues(env: Readonly<Record<string, string | undefined>>, problems: string[]): Values {
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    const written = env[name] || setting.default;
    if (written === undefined) continue;
    const parsed = setting.schema.safeParse(written);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      // The value itself is not repeated: it may be a secret in the wrong place.
      problems.push(`${name}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
    }
  }
  return values;
}

/** Only a literal loopback address or `localhost`, so that no resolver has a say. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
