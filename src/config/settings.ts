import { z } from 'zod';
import { algorithms, headerName, publicKey, scopeWords } from './auth-settings.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { parseSecretKey } from './secret-key.ts';
import {
  addressBlocks,
  bytes,
  databaseUrl,
  editsApiUrl,
  integer,
  list,
  proxyUrl,
  publicUrl,
  secret,
  text,
} from './setting-schemas.ts';
import { parseStorageUrl } from './storage-url.ts';

const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((value) => value === 'true');

/** Turns an error that `parse` throws into a problem with its message. */
function parsedBy<Value>(parse: (text: string) => Value) {
  return (value: string, context: z.RefinementCtx): Value => {
    try {
      return parse(value);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
  };
}

export interface Setting {
  readonly schema: z.ZodType;
  /** As written in the environment; absent if there is no default. */
  readonly default?: string;
  /** Whether the value must never be shown. */
  readonly secret?: true;
  readonly description: string;
}

/**
 * All environment variables, in the order of docs/settings.md. That table and .env.example are
 * generated from here, and a test compares them.
 */
export const SETTINGS = {
  HOST: {
    schema: text,
    default: '127.0.0.1',
    description:
      'Address to listen on. An address other than loopback needs authentication (`AUTH_…`) or `ALLOW_ANONYMOUS=true`, unless `ROLE` is `worker`.',
  },
  PORT: { schema: integer(0, 65_535), default: '4000', description: 'Port to listen on.' },
  PUBLIC_URL: {
    schema: publicUrl,
    description:
      'URL at which clients reach the service, including a proxy’s path prefix, such as `https://example.com/retouch`. Links start with it. Default: the origin of the request. A worker needs it for webhooks.',
  },
  TRUSTED_PROXIES: {
    schema: addressBlocks,
    description:
      'Comma-separated addresses and CIDR blocks of proxies in front of the service, such as `127.0.0.1`. Their `X-Forwarded-For`, `-Host` and `-Proto` headers are trusted: see docs/proxies.md. Default: none.',
  },
  ALLOW_ANONYMOUS: {
    schema: flag,
    default: 'false',
    description:
      '`true` serves anyone who can reach `HOST`, without authentication: only for a network that is protected by other means. It cannot be combined with `AUTH_…`.',
  },
  AUTH_API_KEYS: {
    schema: flag,
    default: 'false',
    description:
      '`true` accepts API keys of this service: see docs/access.md. With any of the `AUTH_…` methods, a request without valid credentials is rejected with 401.',
  },
  AUTH_JWT_ISSUER: {
    schema: text,
    description:
      'Issuer (`iss`) whose JSON Web Tokens are accepted, exactly as the tokens have it. Needs `AUTH_JWT_AUDIENCE`, and `AUTH_JWT_JWKS_URL` or `AUTH_JWT_PUBLIC_KEY`.',
  },
  AUTH_JWT_AUDIENCE: {
    schema: list.pipe(z.array(text).min(1)),
    description: 'Comma-separated audiences (`aud`); a token must be for one of them.',
  },
  AUTH_JWT_JWKS_URL: {
    schema: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }),
    description: 'URL of the issuer’s keys (JSON Web Key Set).',
  },
  AUTH_JWT_PUBLIC_KEY: {
    schema: publicKey,
    description: 'The issuer’s public key as PEM, with `\\n` for line breaks, instead of the URL.',
  },
  AUTH_JWT_ALGORITHMS: {
    schema: algorithms,
    default: 'RS256,PS256,ES256,EdDSA',
    description: 'Comma-separated signature algorithms that are accepted. Asymmetric ones only.',
  },
  AUTH_JWT_SCOPE_CLAIM: {
    schema: text,
    default: 'scope',
    description:
      'Path of the claim with the scopes `read`, `edit` and `admin` (or `retouch:read` and so on), such as `realm_access.roles`: a list, or one text separated by blanks.',
  },
  AUTH_JWT_SCOPES: {
    schema: scopeWords,
    description:
      'Comma-separated scopes of every token, besides those of the claim. Default: none.',
  },
  AUTH_JWT_FILE: {
    schema: text,
    description:
      'JSON file with several issuers, instead of the `AUTH_JWT_…` variables above: see docs/access.md.',
  },
  AUTH_HEADER: {
    schema: headerName,
    description:
      'Header in which a proxy of `TRUSTED_PROXIES` names the user, such as `x-forwarded-user`. The same header of other peers is ignored.',
  },
  AUTH_HEADER_SCOPES: {
    schema: scopeWords,
    default: 'read,edit',
    description: 'Comma-separated scopes of the users that `AUTH_HEADER` names.',
  },
  ALLOWED_HOSTS: {
    schema: list.refine(
      (hosts) => hosts.every((host) => /^([\w.-]+|\[[\da-f:.]+\])$/i.test(host)),
      'must be names or addresses such as retouch.example.com or 192.0.2.1, separated by commas: without scheme, port and path',
    ),
    description:
      'Comma-separated names that the `Host` header of a request may have, in addition to this machine’s own and that of `PUBLIC_URL`, such as `retouch.example.com`. Default: none; with `ALLOW_ANONYMOUS=true` or authentication, any.',
  },
  SUBGRAPH_TYPE_PREFIX: {
    schema: text.regex(
      /^[A-Z][A-Za-z0-9]{0,31}$/,
      'must be an upper-case letter, then at most 31 letters and digits',
    ),
    description:
      'Begins the names of types at `/graphql/subgraph`, such as `Retouch` for `RetouchImage`, so that none collides with a type of another subgraph: see docs/federation.md. Default: none.',
  },
  PERSISTED_OPERATIONS_FILE: {
    schema: text,
    description:
      'JSON file with an object of GraphQL documents by their ids or SHA-256, which clients may send instead of the document: see docs/persisted-operations.md.',
  },
  PERSISTED_OPERATIONS_ONLY: {
    schema: flag,
    default: 'false',
    description:
      '`true`: viewers who are not admins run only the operations in `PERSISTED_OPERATIONS_FILE`. Needs authentication.',
  },
  CORS_ORIGINS: {
    schema: list.refine(
      (origins) =>
        origins.every((origin) => /^https?:/.test(origin) && URL.parse(origin)?.origin === origin),
      'must be origins such as https://app.example.com or http://localhost:5173, separated by commas: each with its scheme, and without a path',
    ),
    description:
      'Comma-separated origins whose pages may use the API from a browser, such as `https://app.example.com`. Default: only the service’s own.',
  },
  GRAPHIQL: {
    schema: flag,
    default: 'true',
    description:
      '`true` serves GraphiQL’s page to browsers that open `/graphql`; `false` serves neither the page nor its files: see docs/graphiql.md.',
  },
  DATA_DIR: {
    schema: text,
    default: './data',
    description: 'Directory of the images and the embedded database.',
  },
  STORAGE_URL: {
    // It may contain credentials by mistake.
    secret: true,
    schema: text.transform(parsedBy(parseStorageUrl)),
    description:
      'S3 bucket for the images, as `s3://bucket/prefix`; for a server other than AWS, with `?endpoint=https://host:port`: see docs/operations.md. Default: `DATA_DIR`.',
  },
  AWS_ACCESS_KEY_ID: {
    schema: secret,
    secret: true,
    description:
      'Key id for `STORAGE_URL`. Default: the credentials that the AWS SDK finds (a profile, the role of a container or machine).',
  },
  AWS_SECRET_ACCESS_KEY: {
    schema: secret,
    secret: true,
    description: 'Secret of `AWS_ACCESS_KEY_ID`.',
  },
  AWS_SESSION_TOKEN: {
    schema: secret,
    secret: true,
    description: 'Session token of `AWS_ACCESS_KEY_ID`, if that is temporary.',
  },
  DATABASE_URL: {
    schema: databaseUrl.transform(parsedBy(parseDatabaseUrl)),
    secret: true,
    description:
      'URL of a Postgres server (14 or newer), with special characters in the password percent-encoded; `?schema=name` for a schema other than `public`. Default: embedded Postgres in `DATA_DIR`.',
  },
  DATABASE_DIRECT_URL: {
    schema: databaseUrl.transform(parsedBy(parseDatabaseUrl)),
    secret: true,
    description:
      'URL of the same database without the transaction pooler that `DATABASE_URL` points to, such as PgBouncer with `pool_mode = transaction`: see docs/operations.md.',
  },
  DATABASE_REPLICA_URL: {
    schema: databaseUrl.transform(parsedBy(parseDatabaseUrl)),
    secret: true,
    description:
      'URL of a standby of the same database, for lists of edits and prompts, usage reports and exports, which may then lag: see docs/replicas.md. Default: none.',
  },
  DATABASE_REPLICA_MAX_LAG_SECONDS: {
    schema: integer(1, 3_600),
    default: '10',
    description:
      'How far `DATABASE_REPLICA_URL` may lag behind; beyond it, reads go to `DATABASE_URL`.',
  },
  DATABASE_POOL_SIZE: {
    schema: integer(1, 1_000),
    default: '5',
    description: 'Maximum number of connections of this process for data.',
  },
  QUEUE_POOL_SIZE: {
    schema: integer(1, 1_000),
    default: '2',
    description:
      'Maximum number of connections of this process for the queue. One more connection listens for notifications.',
  },
  SECRET_KEY: {
    secret: true,
    schema: text.refine(
      (value) => parseSecretKey(value) !== null,
      'must be at least 32 random bytes as base64 or hex, such as `openssl rand -base64 32` prints',
    ),
    description:
      'At least 32 random bytes as base64 or hex, from which webhook secrets and the signatures of image URLs are derived; the same in all processes. Default: generated once and stored in `DATA_DIR`; with `DATABASE_URL` there is no default, authentication needs it, and webhooks are not available without it.',
  },
  PREVIOUS_SECRET_KEYS: {
    secret: true,
    schema: list.transform((keys, context) => {
      const parsed = keys.map(parseSecretKey).filter((key) => key !== null);
      if (parsed.length === keys.length) return parsed;
      const message = 'must be earlier values of SECRET_KEY, separated by commas';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }),
    description:
      'Earlier values of `SECRET_KEY`, separated by commas, while it is being replaced: URLs of images that were signed with them work until they expire, and webhooks keep their secrets. Default: none.',
  },
  SIGNED_LINK_DAYS: {
    schema: integer(1, 3_650),
    default: '7',
    description:
      'Number of days for which the links to images in webhooks and exports work, if authentication is on. GraphQL has `Image.url(expiresIn:)` instead.',
  },
  ROLE: {
    schema: z.enum(['all', 'api', 'worker'], 'must be all, api or worker'),
    default: 'all',
    description:
      'Role of this process: `api` serves, `worker` runs edits and delivers webhooks, `all` does both. `api` and `worker` need `DATABASE_URL`: see docs/operations.md.',
  },
  EDITS_API_URL: {
    schema: editsApiUrl,
    description: 'Base URL of the upstream, ending in `/v1`. Default: the built-in sandbox.',
  },
  EDITS_API_KEY: { schema: secret, secret: true, description: 'API key for `EDITS_API_URL`.' },
  EDITS_API_FILE: {
    schema: text,
    description:
      'JSON file with several upstreams, instead of the two variables above: see docs/upstreams.md.',
  },
  EDITS_API_IMAGE_FIELD: {
    schema: z.enum(['image[]', 'image'], 'must be image[] or image'),
    default: 'image[]',
    description:
      'Form field for several images; some compatible servers require `image`, repeated.',
  },
  EDITS_API_FIRST_HAND: {
    schema: flag,
    description:
      '`true` if `EDITS_API_URL` is the API itself and not a relay: an edit is then retried after a 500 that the API itself wrote. Default: `true` for api.openai.com, `false` otherwise; see docs/upstreams.md.',
  },
  HTTPS_PROXY: {
    schema: proxyUrl,
    secret: true,
    description:
      'Proxy for https:// URLs of upstreams, of images that their responses link to, and of webhooks: see docs/proxies.md. Lower-case names of the three proxy variables work too. Default: `HTTP_PROXY`.',
  },
  HTTP_PROXY: {
    schema: proxyUrl,
    secret: true,
    description: 'Proxy for http:// URLs of the same kinds. Default: none.',
  },
  NO_PROXY: {
    schema: text,
    description:
      'Comma-separated hosts (`host` or `host:port`, subdomains included) that are reached without a proxy; `*` means all. Default: none.',
  },
  SANDBOX_DELAY_MS: {
    schema: integer(0, 600_000),
    default: '1500',
    description: 'Time that the sandbox takes for an edit, in milliseconds.',
  },
  DEFAULT_MODEL: {
    schema: text,
    description:
      'Model of an edit that does not name one. Default: `gpt-image-2` for api.openai.com, `gpt-image-1` for other servers and the sandbox.',
  },
  ALLOWED_MODELS: {
    schema: list,
    description:
      'Comma-separated models that edits may use, each including its dated snapshots. Default: any.',
  },
  MODELS_FILE: {
    schema: text,
    description:
      'JSON file that adds or overrides models, including their prices and bounds: see docs/models.md.',
  },
  PRICES_FILE: {
    schema: text,
    description: 'JSON file with prices that replace the published ones: see docs/pricing.md.',
  },
  WEBHOOK_ALLOWED_HOSTS: {
    schema: list.refine(
      (hosts) => hosts.every((host) => /^(\[[\da-f:.]+\]|[^\s:/?#@[\]]+)(:\d{1,5})?$/i.test(host)),
      'must be hosts or host:port, separated by commas',
    ),
    description:
      'Comma-separated hosts (`host` or `host:port`) that webhooks may be sent to although they are not public, also over plain http. Default: none.',
  },
  EDIT_TIMEOUT_SECONDS: {
    schema: integer(1, 3_600),
    default: '600',
    description: 'Maximum wait for the complete response of the upstream, in seconds.',
  },
  MAX_CONCURRENT_EDITS: {
    schema: integer(1, 1_000),
    default: '16',
    description:
      'Maximum number of edits that this process runs at once; further edits wait in the queue.',
  },
  MAX_QUEUED_EDITS: {
    schema: integer(1, 1_000_000),
    default: '10000',
    description:
      'Maximum number of edits in the queue; beyond it, new edits are rejected with 503. With authentication, one owner may have at most half of them.',
  },
  MAX_EDIT_ATTEMPTS: {
    schema: integer(1, 100),
    default: '5',
    description:
      'Maximum number of times that an edit is sent if the upstream certainly did not process it (503, no connection). A 429 does not count.',
  },
  MAX_IMAGE_BYTES: {
    schema: bytes(1, 1_073_741_824),
    default: '26214400',
    description:
      'Maximum size of an image, in bytes (25 MiB) or as `25MB`; units are powers of 1024. The limit of a model may be lower.',
  },
  MAX_IMAGE_PIXELS: {
    schema: integer(1, 1_000_000_000),
    default: '50000000',
    description:
      'Maximum size of an image, in pixels (width times height); decoded, it may have 4 bytes per pixel of this limit.',
  },
  FORWARD_METADATA: {
    schema: z
      .enum(['true', 'false'], 'must be true or false')
      .transform((value) => value === 'true'),
    default: 'false',
    description:
      '`true` sends images to the upstream as they were uploaded, including the place, time and device of a photo: see docs/images.md.',
  },
  MAX_CONCURRENT_UPLOAD_BYTES: {
    schema: bytes(1, Number.MAX_SAFE_INTEGER),
    default: '2147483648',
    description:
      'Maximum total size of the uploads that this process reads at once, in bytes (2 GiB); each counts as at least 8 MiB. Beyond it, new uploads are rejected with 503 before they are read.',
  },
  SHUTDOWN_GRACE_SECONDS: {
    schema: integer(0, 3_600),
    default: '30',
    description: 'How long a shutdown waits for running edits, in seconds.',
  },
  WORKER_TIMEOUT_SECONDS: {
    schema: integer(3, 3_600),
    default: '30',
    description:
      'With several processes on one Postgres: how long a process may send no heartbeat before the others end its edits, in seconds. The same in all processes.',
  },
  MIN_FREE_DISK_BYTES: {
    schema: bytes(0, Number.MAX_SAFE_INTEGER),
    default: '268435456',
    description:
      'Edits wait in the queue while the disk of `DATA_DIR` has less free space than this, in bytes (256 MiB), so that no result is paid for that cannot be stored. `0`: edits never wait.',
  },
  RETENTION_DAYS: {
    schema: integer(1, 36_500),
    description:
      'Edits older than this many days are deleted, as by `deleteEdit`, and so are uploads that no edit uses: see docs/retention.md. Default: they are kept forever.',
  },
  AUDIT_RETENTION_DAYS: {
    schema: integer(1, 36_500),
    description:
      'Number of days for which audit events are kept: see docs/access.md. Default: they are kept forever.',
  },
  ANSWER_RETENTION_DAYS: {
    schema: integer(1, 36_500),
    default: '30',
    description:
      'Number of days for which a response of the upstream without a readable image is stored, so that `rereadAnswer` can read it again.',
  },
  METRICS_PORT: {
    schema: integer(0, 65_535),
    description:
      'Port on which this process serves `/metrics` for Prometheus, without authentication: see docs/metrics.md. Default: no metrics.',
  },
  METRICS_HOST: {
    schema: text,
    default: '127.0.0.1',
    description:
      'Address on which `METRICS_PORT` listens. Whoever can reach an address other than loopback can read the metrics.',
  },
  LOG_LEVEL: {
    schema: z.enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'must be trace, debug, info, warn, error, fatal or silent',
    ),
    default: 'info',
    description: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** The variables that are set and valid, parsed; those with a default always. */
export type SettingValues = {
  [Name in SettingName]?: z.output<(typeof SETTINGS)[Name]['schema']>;
};

export type Environment = Readonly<Record<string, string | undefined>>;
