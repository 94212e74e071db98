import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandResult, UNHEARD } from '../../admin/commands/commands.ts';
import { createInspect } from '../../admin/commands/inspect.ts';
import { ServiceFailedError } from '../../admin/socket/protocol.ts';
import { connectCommands } from '../../admin/socket/socket-commands.ts';
import { SOCKET_NAME } from '../../admin/socket/socket-path.ts';
import type { Config } from '../../config/config.ts';
import { DataDirInUseError } from '../../database/data-dir-lock.ts';
import type { Database } from '../../database/database.ts';
import type { InspectedServer } from '../../database/start/inspect-server.ts';
import { createLog } from '../../log.ts';
import type { ListedModel } from '../../models/model-list.ts';
import { openUpstreamProbes, type UpstreamProbe } from '../upstreams.ts';

/** Below the limit of a check, so that it can still say what happened. */
const REQUEST_TIMEOUT_MS = 8_000;

/** How this process reaches the data. */
export type Data =
  | { readonly kind: 'open'; readonly database: Database }
  /** A running service has the embedded database. */
  | { readonly kind: 'service' }
  /** The first start creates the embedded database. */
  | { readonly kind: 'none' };

export interface AskedUpstream extends UpstreamProbe {
  readonly answer:
    | { readonly status: number; readonly models: readonly ListedModel[] | null }
    | { readonly error: string };
}

/** What several checks use, opened by the first. */
export interface DoctorContext {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** This machine's clock, as Unix time in milliseconds. */
  readonly now: () => number;
  /** Of a Postgres server. @throws StartError */
  server(): Promise<InspectedServer>;
  /** @throws StartError or ConfigError */
  data(): Promise<Data>;
  /** Null: there is nothing yet. */
  stored(): Promise<CommandResult<'inspect'> | null>;
  upstreams(): Promise<readonly AskedUpstream[]>;
}

export function openContext(options: {
  config: Config;
  env: DoctorContext['env'];
  now: () => number;
  signal: AbortSignal;
}): DoctorContext & AsyncDisposable {
  const { config, env, now, signal } = options;
  const { database: settings } = config;
  const log = createLog({ level: 'silent' });
  const opened = new AsyncDisposableStack();
  let opening: Promise<Data> | undefined;

  async function open(): Promise<Data> {
    if (settings.kind === 'postgres') {
      const { openPostgres } = await import('../../database/postgres.ts');
      const small = { ...settings, poolSize: 1, queuePoolSize: 1 };
      return { kind: 'open', database: opened.adopt(openPostgres({ ...small, log }), end) };
    }
    if (!existsSync(join(settings.dir, 'postgres'))) return { kind: 'none' };
    if ((await service()) !== null) return { kind: 'service' };
    const { openPglite } = await import('../../database/pglite.ts');
    try {
      signal.throwIfAborted();
      const database = opened.adopt(await openPglite({ dir: settings.dir, log }), end);
      return { kind: 'open', database };
    } catch (error) {
      if (error instanceof DataDirInUseError) return { kind: 'service' };
      throw error;
    }
  }

  const service = () => connectCommands(join(config.dataDir, SOCKET_NAME));
  const data = () => (opening ??= open());

  async function inspect(): Promise<CommandResult<'inspect'> | null> {
    const found = await data();
    if (found.kind === 'none') return null;
    if (found.kind === 'open') return createInspect(found.database)();
    const commands = await service();
    if (commands === null) {
      throw new ServiceFailedError(
        'A process has the embedded database and serves no commands: wait until it has started, or stop it; its log says why admin.sock is missing in DATA_DIR.',
      );
    }
    return commands.inspect({}, { ...UNHEARD, signal });
  }

  async function ask(): Promise<readonly AskedUpstream[]> {
    const { editsApi, outboundProxies: proxies } = config;
    const probes = await openUpstreamProbes({ editsApi, proxies, timeoutMs: REQUEST_TIMEOUT_MS });
    for (const { reader } of probes) opened.defer(reader.close);
    return Promise.all(
      probes.map(async (probe) => {
        try {
          return { ...probe, answer: await probe.reader.ask(signal) };
        } catch (error) {
          return { ...probe, answer: { error: error instanceof Error ? error.message : '' } };
        }
      }),
    );
  }

  return {
    config,
    env,
    now,
    data,
    server: once(async () => {
      if (settings.kind !== 'postgres') throw new Error('there is no server');
      const { inspectServer } = await import('../../database/start/inspect-server.ts');
      return inspectServer(settings, { now, timeoutMs: REQUEST_TIMEOUT_MS });
    }),
    stored: once(inspect),
    upstreams: once(ask),
    async [Symbol.asyncDispose]() {
      // An interruption must not leave it behind.
      await opening?.catch(() => {});
      await opened.disposeAsync();
    },
  };
}

const end = (database: Database) => database.close();

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}
