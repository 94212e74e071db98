import pg from 'pg';
import { isReadOnly } from './unreachable.ts';

/** How long a connection may take to be made, in milliseconds: a standby may have taken over by then. */
const CONNECT_TIMEOUT_MS = 5_000;

/** How long a statement waits for a connection, and for its result, in milliseconds. */
const STATEMENT_TIMEOUT_MS = 15_000;

export interface ConnectionPool {
  readonly pool: pg.Pool;
  /**
   * Uses no connection of now any more, once it is idle: they may lead to a server that was the
   * primary, while new ones lead to the one that is.
   */
  discard(): void;
}

/** Rewrites a statement before it is sent. */
type Rewrite = (text: string) => string;

/**
 * Connections to Postgres, made when first needed, and again when they were lost. All others are
 * discarded when one of them is told that its server takes no writes.
 */
export function createConnectionPool(options: {
  url: string;
  max: number;
  /** Statements for each new connection. */
  setup?: string;
  rewrite?: Rewrite;
  /** Told of it when a server takes no writes. */
  onReadOnly: () => void;
}): ConnectionPool {
  const { url, max, setup, rewrite = (text) => text, onReadOnly } = options;
  const busy = new Set<pg.PoolClient>();
  const idle = new Set<pg.PoolClient>();
  const stale = new WeakSet<pg.ClientBase>();

  const pool = new pg.Pool({
    ...clientConfig(url),
    Client: ImpatientClient,
    max,
    connectionTimeoutMillis: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS,
    // pg waits for it, which its types do not know.
    async onConnect(client) {
      if (setup !== undefined) await client.query(setup);
      watchStatements(client, rewrite, (error) => {
        if (isReadOnly(error)) onReadOnly();
        // Its statement may still be running: whatever comes next would wait for that.
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
    // The pool drops what has been ended.
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
      // The pool drops an idle connection that has an error.
      for (const client of idle) client.emit('error', new Error('discarded'));
      idle.clear();
    },
  };
}

/** What all our connections have in common. */
export function clientConfig(url: string): pg.ClientConfig {
  return { connectionString: url, application_name: 'retouch', keepAlive: true };
}

/** Gives up a connection that is not made earlier than the pool gives up whoever waits for one. */
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
