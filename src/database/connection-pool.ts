import pg from 'pg';
import { isReadOnly } from './unreachable.ts';

/**
 * How long to wait for a connection, in milliseconds. During a failover, a later attempt may reach
 * the standby.
 */
const CONNECT_TIMEOUT_MS = 5_000;

/** How long a statement waits for a connection and for its result by default, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 15_000;

export interface ConnectionPool {
  readonly pool: pg.Pool;
  /**
   * Replaces all current connections once they are idle. They may lead to a former primary; new
   * ones lead to the current one.
   */
  discard(): void;
}

/** Rewrites a statement before it is sent. */
type Rewrite = (text: string) => string;

/**
 * Connections to Postgres, opened on demand and replaced when lost. If a server turns out to be
 * read-only, all other connections are replaced, too.
 */
export function createConnectionPool(options: {
  url: string;
  max: number;
  /** How long a statement waits for a connection, and for its result. @default 15 s */
  timeoutMs?: number;
  /** Statements that each new connection runs; each of a list in its own transaction. */
  setup?: string | readonly string[];
  rewrite?: Rewrite;
  /** Called when a server is read-only. */
  onReadOnly: () => void;
}): ConnectionPool {
  const { url, max, timeoutMs = STATEMENT_TIMEOUT_MS, setup, onReadOnly } = options;
  const { rewrite = (text) => text } = options;
  const busy = new Set<pg.PoolClient>();
  const idle = new Set<pg.PoolClient>();
  const stale = new WeakSet<pg.ClientBase>();

  const pool = new pg.Pool({
    ...clientConfig(url),
    Client: ImpatientClient,
    max,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    // pg waits for the promise, which its types do not declare.
    async onConnect(client) {
      for (const statements of [setup ?? []].flat()) await client.query(statements);
      watchStatements(client, rewrite, (error) => {
        if (isReadOnly(error)) onReadOnly();
        // Its statement may still be running, and the next one would wait for it.
        if (error.message === 'Query read timeout') stale.add(client);
      });
    },
  });
  pool.on('error', () => {});
  pool.on('acquire', (client) => {
    idle.delete(client);
    busy.add(client);
  });
  pool.on('release', (_, client) => {
    busy.delete(client);
    // The pool removes a client that has ended.
    if (stale.has(client)) client.end().catch(() => {});
    else idle.add(client);
  });
  pool.on('remove', (client) => {
    idle.delete(client);
    busy.delete(client);
  });

  return {
    pool,
    discard() {
      for (const client of busy) stale.add(client);
      // The pool removes an idle client that has an error.
      for (const client of idle) client.emit('error', new Error('discarded'));
      idle.clear();
    },
  };
}

/** Parameters of all our connections. */
export function clientConfig(url: string): pg.ClientConfig {
  return { connectionString: url, application_name: 'retouch', keepAlive: true };
}

/** The connection attempt gives up before the pool gives up the callers that wait for it. */
class ImpatientClient extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super({ ...config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  }
}

function watchStatements(
  client: pg.ClientBase,
  rewrite: Rewrite,
  onError: (error: Error) => void,
): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const watched = (statement: unknown, ...rest: unknown[]) => {
    const watchedRest = rest.map((arg) =>
      typeof arg !== 'function'
        ? arg
        : (error: Error | undefined, ...results: unknown[]) => {
            if (error) onError(error);
            arg(error, ...results);
          },
    );
    const result = query(rewritten(statement, rewrite), ...watchedRest);
    if (result instanceof Promise) result.catch(onError);
    return result;
  };
  client.query = watched as typeof client.query;
}

function rewritten(statement: unknown, rewrite: Rewrite): unknown {
  if (typeof statement === 'string') return rewrite(statement);
  const { text } = statement as { text?: unknown };
  return typeof text === 'string' ? { ...(statement as object), text: rewrite(text) } : statement;
}
