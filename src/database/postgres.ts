import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Log } from '../log.ts';
import { clientConfig, createConnectionPool } from './connection-pool.ts';
import type { Database } from './database.ts';
import { listenToServer, type ServerListener } from './listen.ts';
import { databaseNames } from './names.ts';
import { createPrisma } from './prisma.ts';
import { openReplica } from './replica.ts';
import { replicaReads } from './replica-reads.ts';
import { beginTransaction, setSession } from './session-settings.ts';
import { inTransactions } from './single-statements.ts';

export interface PostgresOptions {
  readonly url: string;
  /**
   * Bypasses the transaction pooler of `url`, for what needs a session: the queue, LISTEN and
   * migrations. Null if `url` provides sessions.
   */
  readonly directUrl: string | null;
  readonly schema: string;
  /** Connections for data and for the queue. One more listens. */
  readonly poolSize: number;
  readonly queuePoolSize: number;
  /** A standby for reads that may lag; null for none. */
  readonly replica: { readonly url: string; readonly maxLagMs: number } | null;
}

/** Opens a Postgres server. Connections are opened on demand and replaced when lost. */
export function openPostgres({ log, ...options }: PostgresOptions & { log: Log }): Database {
  const { url, directUrl, schema, poolSize, queuePoolSize } = options;
  const sessionUrl = directUrl ?? url;
  const names = databaseNames(schema);
  const listeners = new Set<ServerListener>();
  const setup = setSession(schema);

  function discard(): void {
    for (const { discard } of [data, queue]) discard();
    for (const listener of listeners) listener.renew();
  }
  const data = createConnectionPool({
    url,
    max: poolSize,
    onReadOnly: discard,
    ...(directUrl === null
      ? { setup }
      : { rewrite: (text) => (text === 'BEGIN' ? beginTransaction(schema) : text) }),
  });
  const queue = createConnectionPool({
    url: sessionUrl,
    max: queuePoolSize,
    setup,
    onReadOnly: discard,
  });
  const direct = new PrismaPg(data.pool, { schema });
  const factory = directUrl === null ? direct : inTransactions(direct);
  const prisma = createPrisma(factory, log);
  const replica =
    options.replica === null
      ? null
      : openReplica({ ...options.replica, schema, poolSize, primary: data.pool, log });
  const laggingPrisma =
    replica === null
      ? prisma
      : createPrisma(
          replicaReads({
            primary: factory,
            replica: new PrismaPg(replica.pool, { schema }),
            isUsable: replica.isUsable,
            onFailure: replica.suspect,
          }),
          log,
        );

  const sessionId = randomUUID();
  let closing: Promise<void> | undefined;
  return {
    kind: 'postgres',
    names,
    prisma,
    laggingPrisma,
    sessionId,
    boss: { db: { executeSql: (text, values) => queue.pool.query(text, values) } },
    async listen(channel, onPayload, onListening) {
      const listener = await listenToServer({
        url: sessionUrl,
        channel,
        sessionId,
        onPayload,
        onListening,
        log,
      });
      listeners.add(listener);
      return {
        close() {
          listeners.delete(listener);
          return listener.close();
        },
      };
    },
    async openForMigration() {
      const client = new pg.Client(clientConfig(sessionUrl));
      client.on('error', () => {});
      await client.connect();
      await client.query(setup);
      return {
        async run(script) {
          const results: pg.QueryResult | pg.QueryResult[] = await client.query(script);
          return [results].flat().at(-1)?.rows ?? [];
        },
        query: async (statement, values) => (await client.query(statement, [...values])).rows,
        [Symbol.asyncDispose]: () => client.end(),
      };
    },
    discardConnections: discard,
    close() {
      closing ??= (async () => {
        await Promise.all([prisma.$disconnect(), laggingPrisma.$disconnect()]);
        await replica?.close();
        await Promise.all([data.pool.end(), queue.pool.end()]);
      })();
      return closing;
    },
  };
}
