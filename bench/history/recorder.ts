import { Prisma, type PrismaClient } from '../../src/database/database.ts';

/** A statement as it goes to Postgres. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The same client, which notes the statements that our own code writes. */
export function recordStatements(prisma: PrismaClient): {
  readonly prisma: PrismaClient;
  /** Those since the last call. */
  take(): Statement[];
} {
  let statements: Statement[] = [];
  const queryRaw = (...args: Parameters<PrismaClient['$queryRaw']>) => {
    const [query, ...values] = args;
    const sql = query instanceof Prisma.Sql ? query : Prisma.sql(query, ...values);
    statements.push({ text: sql.text, values: sql.values });
    return prisma.$queryRaw(sql);
  };
  return {
    prisma: new Proxy(prisma, {
      get: (target, name) => (name === '$queryRaw' ? queryRaw : target[name as keyof PrismaClient]),
    }),
    take() {
      const taken = statements;
      statements = [];
      return taken;
    },
  };
}
