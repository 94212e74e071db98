import { messages, type PGlite } from '@electric-sql/pglite';
import {
  DriverAdapterError,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import { PrismaPGlite } from 'pglite-prisma-adapter';

/**
 * Prisma's driver adapter for PGlite. By itself, pglite-prisma-adapter reports a failed COMMIT as
 * committed, and sets the isolation level outside of the transaction.
 */
export function createPgliteAdapter(pglite: PGlite): SqlDriverAdapterFactory {
  const factory = new PrismaPGlite(pglite);
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    adapter.startTransaction = (isolationLevel) => startTransaction(pglite, isolationLevel);
    return adapter;
  };
  return factory;
}

const startTransaction = async (
  pglite: PGlite,
  isolationLevel: Parameters<SqlDriverAdapter['startTransaction']>[0],
) => {
  let ended: Promise<unknown> = Promise.resolve();
  // The only method that the adapter's transactions use.
  const client: Pick<PGlite, 'transaction'> = {
    transaction(work) {
      const result = pglite.transaction(async (tx) => {
        if (isolationLevel) await tx.exec(`SET TRANSACTION ISOLATION LEVEL ${isolationLevel}`);
        return work(tx);
      });
      ended = result;
      return result;
    },
  };
  const adapter = await new PrismaPGlite(client as PGlite).connect();
  const tx = await adapter.startTransaction().catch(rethrow);
  const commit = tx.commit.bind(tx);
  tx.commit = async () => {
    await commit();
    await ended.catch(rethrow);
  };
  return tx;
};

/** Wraps the error like the adapter's own statement errors. */
function rethrow(error: unknown): never {
  if (!(error instanceof messages.DatabaseError)) throw error;
  const { code = '', severity = '', message, detail, hint } = error;
  throw new DriverAdapterError({
    kind: 'postgres',
    originalCode: code,
    originalMessage: message,
    code,
    severity,
    message,
    detail,
    column: undefined,
    hint,
  });
}
