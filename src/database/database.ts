import type { SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
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
  /** Opens a separate connection for migrations. Closing it releases their advisory lock. */
  openForMigration(): { factory: SqlMigrationAwareDriverAdapterFactory; close(): Promise<void> };
  /** Replaces all current connections, which may lead to a server that has become read-only. */
  discardConnections(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface Listener {
  close(): Promise<void>;
}
