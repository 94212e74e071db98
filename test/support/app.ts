import { openAsBlob } from 'node:fs';
import { type App, startApp } from '../../src/app/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { PrismaClient } from '../../src/database/database.ts';
import { createLog } from '../../src/log.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { createTestDatabase } from './database.ts';

export interface GraphqlAnswer {
  readonly data: ReturnType<typeof JSON.parse>;
  readonly errors?: { message: string; path?: string[]; extensions?: Record<string, unknown> }[];
  readonly httpStatus: number;
}

export interface TestApp {
  readonly url: string;
  /** With METRICS_PORT. */
  readonly metricsUrl: string | null;
  readonly dir: string;
  /** The upstream that it calls: counts what it is paid for, and misbehaves on demand. */
  readonly sandbox: Sandbox;
  readonly logged: string[];
  query(query: string, variables?: object): Promise<GraphqlAnswer>;
  /** A GraphQL multipart request; `files` are keyed by their path in the variables. */
  upload(
    query: string,
    variables: object,
    files: Record<string, string | Uint8Array>,
  ): Promise<GraphqlAnswer>;
  /** Another process's worth of the service on the same data; stops with this one. */
  startAnother(env?: Record<string, string>): Promise<Pick<App, 'url' | 'metricsUrl'>>;
  /** The rows behind the running service: of a Postgres server only. */
  readonly databaseUrl: string | undefined;
  /** The rows behind the service, for what no operation can do. The service is stopped meanwhile. */
  withDatabase<Result>(work: (prisma: PrismaClient) => Promise<Result>): Promise<Result>;
  /** Stops the service and starts it again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** For suites that do not look at output images: to draw one takes longer than the rest of an edit. */
export const NO_DRAWING: SandboxOptions = { fixedOutput: { bytes: 3_000 } };

/** The whole service on a free port, its own database and data directory, and a fast sandbox. */
export async function startTestApp(
  given:
    | Record<string, string>
    /** What to set, by what leads to the database. */
    | ((database: Record<string, string>) => Promise<Record<string, string>>) = {},
  sandboxOptions: SandboxOptions = {},
): Promise<TestApp> {
  const database = await createTestDatabase();
  const env = typeof given === 'function' ? await given(database.env) : given;
  const sandbox = createSandbox({ delayMs: 0, ...sandboxOptions });
  const upstream = await sandbox.start();
  const logged: string[] = [];
  const log = createLog({
    level: 'trace',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const settings = {
    PORT: '0',
    EDITS_API_URL: upstream.url,
    EDITS_API_KEY: 'sk-test-canary',
    EDITS_API_FIRST_HAND: 'true',
    SHUTDOWN_GRACE_SECONDS: '5',
    MAX_EDIT_ATTEMPTS: '1',
    ...database.env,
    ...env,
  };
  const config = loadConfig(settings);
  const others: App[] = [];
  let app = await startApp({ config, log });

  return {
    get url() {
      return app.url;
    },
    get metricsUrl() {
      return app.metricsUrl;
    },
    dir: database.dir,
    sandbox,
    logged,
    query: (query, variables = {}) =>
      answer(
        fetch(`${app.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ query, variables }),
        }),
      ),
    async upload(query, variables, files) {
      const form = new FormData();
      form.set('operations', JSON.stringify({ query, variables }));
      const paths = Object.keys(files);
      form.set(
        'map',
        JSON.stringify(Object.fromEntries(paths.map((path, i) => [i, [`variables.${path}`]]))),
      );
      for (const [i, path] of paths.entries()) {
        const file = files[path] ?? '';
        const blob =
          typeof file === 'string' ? await openAsBlob(file) : new Blob([new Uint8Array(file)]);
        form.set(String(i), blob, 'image');
      }
      return answer(
        fetch(`${app.url}/graphql`, {
          method: 'POST',
          headers: { 'apollo-require-preflight': 'true' },
          body: form,
        }),
      );
    },
    async withDatabase(work) {
      await app.stop();
      const opened = await database.open();
      try {
        return await work(opened.prisma);
      } finally {
        await opened.close();
        app = await startApp({ config, log });
      }
    },
    async startAnother(more = {}) {
      const other = await startApp({ config: loadConfig({ ...settings, ...more }), log });
      others.push(other);
      return other;
    },
    databaseUrl: database.env['DATABASE_URL'],
    async restart() {
      await app.stop();
      app = await startApp({ config, log });
    },
    async stop() {
      await Promise.all([app, ...others].map((one) => one.stop()));
      await sandbox.stop();
      await database.drop();
    },
  };
}

async function answer(response: Promise<Response>): Promise<GraphqlAnswer> {
  const { status, body } = await response.then(async (got) => ({
    status: got.status,
    body: await got.json(),
  }));
  return { ...body, httpStatus: status };
}
