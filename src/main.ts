import { type App, startApp } from './app/app.ts';
import { type Config, loadConfig } from './config/config.ts';
import { ConfigError, StartError } from './errors.ts';
import { createLog, type Log } from './log.ts';
import { createPrettyStream } from './telemetry/pretty-log.ts';

/** Exit statuses of sysexits.h: a restart cannot help (EX_CONFIG), or may help (EX_TEMPFAIL). */
const EXIT_CONFIG = 78;
const EXIT_TEMPORARY = 75;

/** A defect. */
const EXIT_UNEXPECTED = 1;

/** How long a shutdown may take beyond the grace period of the edits, in milliseconds. */
const STOP_MARGIN_MS = 15_000;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const { stdout } = process;
  const log = createLog({
    level: config.logLevel,
    ...(stdout.isTTY && { destination: createPrettyStream(stdout) }),
  });
  const startedMs = performance.now();
  const databaseEnd = Promise.withResolvers<void>();
  const app = await startApp({ config, log, onDatabaseEnd: databaseEnd.resolve });
  const stop = createStop(app, log, config.limits.shutdownGraceMs + STOP_MARGIN_MS);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!stop(0)) process.exit(1);
      log.info({ signal }, 'shutting down; a second signal exits at once');
    });
  }
  // Whoever reads this may send a signal at once.
  log.info({ url: app.url, ms: Math.round(performance.now() - startedMs) }, 'ready');
  process.stderr.write(welcome(config, app));
  await databaseEnd.promise;
  log.fatal(
    { dataDir: config.dataDir },
    'the embedded database stopped because it could not write to DATA_DIR: check its disk. The next start recovers all committed data',
  );
  stop(EXIT_TEMPORARY);
}

/**
 * Exits with the given status once the app has stopped. Returns false if it is stopping already.
 * @param timeoutMs After this, for example if the database hangs, the process exits anyway.
 */
function createStop(app: App, log: Log, timeoutMs: number): (exitCode: number) => boolean {
  let isStopping = false;
  return (exitCode) => {
    if (isStopping) return false;
    isStopping = true;
    setTimeout(() => {
      log.fatal('shutdown timed out; the next start recovers unfinished edits');
      process.exit(1);
    }, timeoutMs).unref();
    app.stop().then(
      () => {
        log.info('shut down');
        // Timers of dependencies would keep the process running.
        process.exit(exitCode);
      },
      (error) => {
        log.fatal({ err: error }, 'shutdown failed');
        process.exit(exitCode || 1);
      },
    );
    return true;
  };
}

function welcome(config: Config, { url }: App): string {
  const { role, editsApi, database, dataDir } = config;
  const where = database.kind === 'pglite' ? `embedded, in ${dataDir}` : 'the Postgres server';
  const upstream =
    editsApi.kind !== 'sandbox'
      ? `  Edits API  ${editsApi.kind === 'remote' ? editsApi.url : `upstreams of ${editsApi.path}`}`
      : [
          '  Edits API  SANDBOX: a built-in stand-in makes the images, not a model.',
          '             For real edits, set EDITS_API_URL (such as https://api.openai.com/v1)',
          '             and EDITS_API_KEY, in the environment or in .env.',
        ].join('\n');
  const [ready, place] =
    role === 'worker'
      ? ['This worker is ready.', `Health     ${url}/health/ready`]
      : ['Retouch is ready.', `GraphiQL   ${url}/graphql`];
  const needed =
    role === 'api'
      ? '  Workers    none in this process (ROLE=api): edits need a worker process\n'
      : '';
  return `
  ${ready}
  ${place}
${needed}  Database   ${where}
${upstream}

`;
}

// `npm run build:start` only loads it, and what it imports.
const running = process.argv.includes('--load-only') ? null : main();
running?.catch((error: unknown) => {
  const isDefect = !(error instanceof ConfigError || error instanceof StartError);
  process.stderr.write(
    isDefect
      ? `Retouch cannot start: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`
      : `${error.message}\n`,
  );
  process.exit(isDefect ? EXIT_UNEXPECTED : exitStatusOf(error));
});

function exitStatusOf(error: ConfigError | StartError): number {
  return error instanceof StartError && error.isTemporary ? EXIT_TEMPORARY : EXIT_CONFIG;
}
