import type {
  SqlDriverAdapter,
  SqlDriverAdapterFactory,
  SqlQuery,
  Transaction,
} from '@prisma/driver-adapter-utils';

/**
 * Runs each statement outside of a transaction in its own, because through a transaction pooler
 * only a transaction has our parameters.
 */
export function inTransactions(factory: SqlDriverAdapterFactory): SqlDriverAdapterFactory {
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => wrap(await factory.connect()),
  };
}

function wrap(adapter: SqlDriverAdapter): SqlDriverAdapter {
  async function run<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const tx = await adapter.startTransaction();
    try {
      const result = await work(tx);
      await tx.executeRaw(statement('COMMIT'));
      await tx.commit();
      return result;
    } catch (error) {
      await tx.executeRaw(statement('ROLLBACK')).catch(() => {});
      await tx.rollback();
      throw error;
    }
  }

  return {
    provider: adapter.provider,
    adapterName: adapter.adapterName,
    queryRaw: (query) => run((tx) => tx.queryRaw(query)),
    executeRaw: (query) => run((tx) => tx.executeRaw(query)),
    executeScript: (script) => adapter.executeScript(script),
    startTransaction: (isolationLevel) => adapter.startTransaction(isolationLevel),
    getConnectionInfo: () => adapter.getConnectionInfo?.() ?? { supportsRelationJoins: true },
    dispose: () => adapter.dispose(),
  };
}

const statement = (sql: string): SqlQuery => ({ sql, args: [], argTypes: [] });
