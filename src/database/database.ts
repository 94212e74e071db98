import type { ConstructorOptions } from 'pg-boss';
import type { PrismaClient } from './generated/prisma/client.ts';
import type { DatabaseNames } from './names.ts';

export { Prisma, type PrismaClient } from './generated/prisma/client.ts';

/** The client inside `prisma.$transaction(async (tx) => …)`. */
export type Transaction = Omit<
  PrismaClient,
  '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'
>;

/** One Postgres, embedded or a server, as the rest of the service uses it. */
export interface Database {
  readonly kind: 'pglite' | 'postgres';
  readonly names: DatabaseNames;
  readonly prisma: PrismaClient;
  /**
   * For reads that may lag behind: by a replica if there is one that lags little enough, otherwise
   * the same as `prisma`.
   */
  readonly laggingPrisma: PrismaClient;
  /** Of this process, from this start on: ends with it. See `hasSessionEnded`. */
  readonly sessionId: string;
  /** How pg-boss reaches this database. */
  readonly boss: ConstructorOptions;
  /**
   * Listens on a channel. `onListening` is called after each subscription; from the second call on,
   * notifications before it may have been missed.
   */
  listen(
    channel: string,
    onPayload: (payload: string) => void,
    onListening: () => void,
  ): Promise<Listener>;
  /** Opens a separate connection for migrations and backups. Its end releases its advisory locks. */
  openForMigration(): Promise<MigrationConnection>;
  /**
   * The embedded database only: copies its files to `dir`, which must not exist, as a crash at this
   * moment would leave them. Statements wait meanwhile. A database opened on the copy recovers, and
   * has all that is committed.
   */
  copyFiles?(dir: string): Promise<void>;
  /** Replaces all current connections, which may lead to a server that has become read-only. */
  discardConnections(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** One session. */
export interface MigrationConnection extends AsyncDisposable {
  /** Runs one or more statements; returns the rows of the last one. */
  run(script: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Runs one statement with parameters, each a text; returns its rows. */
  query(
    statement: string,
    values: readonly string[],
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export interface Listener {
  close(): Promise<void>;
}
