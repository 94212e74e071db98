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

/** One Postgres, embedded or a server; what the rest of the service needs of it. */
export interface Database {
  readonly kind: 'pglite' | 'postgres';
  readonly names: DatabaseNames;
  readonly prisma: PrismaClient;
  /** How pg-boss reaches the same database. */
  readonly boss: ConstructorOptions;
  /**
   * LISTEN on a channel. `onListening` is called after each successful subscription: on every call
   * but the first, notifications may have been missed before it.
   */
  listen(
    channel: string,
    onPayload: (payload: string) => void,
    onListening: () => void,
  ): Promise<Listener>;
  /**
   * A connection of its own for migrations. It must be closed for the migrations' advisory lock to
   * end with it.
   */
  openForMigration(): { factory: SqlMigrationAwareDriverAdapterFactory; close(): Promise<void> };
  /** Leaves the connections of now, as they may lead to a server that takes no writes any more. */
  discardConnections(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface Listener {
  close(): Promise<void>;
}
