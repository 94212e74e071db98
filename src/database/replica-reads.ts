import type { SqlDriverAdapter, SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';

/**
 * Sends statements that read to a replica as long as it may be used, and again to the primary if
 * they fail there, for whatever reason. All else goes to the primary.
 */
export function replicaReads(options: {
  primary: SqlDriverAdapterFactory;
  replica: SqlDriverAdapterFactory;
  isUsable: () => boolean;
  onFailure: () => void;
}): SqlDriverAdapterFactory {
  const { primary, replica, isUsable, onFailure } = options;
  return {
    provider: primary.provider,
    adapterName: primary.adapterName,
    async connect() {
      const [main, reads] = await Promise.all([primary.connect(), replica.connect()]);
      return combine(main, reads);
    },
  };

  function combine(main: SqlDriverAdapter, reads: SqlDriverAdapter): SqlDriverAdapter {
    return {
      provider: main.provider,
      adapterName: main.adapterName,
      async queryRaw(query) {
        if (isUsable()) {
          try {
            return await reads.queryRaw(query);
          } catch {
            onFailure();
          }
        }
        return main.queryRaw(query);
      },
      executeRaw: (query) => main.executeRaw(query),
      executeScript: (script) => main.executeScript(script),
      startTransaction: (isolationLevel) => main.startTransaction(isolationLevel),
      getConnectionInfo: () => main.getConnectionInfo?.() ?? { supportsRelationJoins: true },
      async dispose() {
        await Promise.all([main.dispose(), reads.dispose()]);
      },
    };
  }
}
