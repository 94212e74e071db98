import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import type { PostgresCluster } from '../../test/support/postgres-cluster.ts';
import { cpuMsOf, cpuMsOfEnded } from '../../test/support/process-stats.ts';

const run = promisify(execFile);

/** Totals of a Postgres server since its start. */
export interface Counters {
  readonly statements: number;
  readonly transactions: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly walBytes: number;
  readonly databaseBytes: number;
  /** Received on the channel of the service. */
  readonly notifications: number;
  /** Of all its processes that are there, and of their parent for those that ended. */
  readonly postgresCpuMs: number;
  /** Of the service. */
  readonly connections: number;
}

/** How long Postgres may hold figures of a session back, in milliseconds. */
const FLUSH_MS = 1_500;

/** Restarts the server with pg_stat_statements, and listens to the service's notifications. */
export async function openCounters(cluster: PostgresCluster) {
  const admin = new pg.Client({ connectionString: cluster.url });
  await admin.connect();
  await admin.query(`ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
  await admin.end();
  await cluster.shutDown();
  await cluster.start();
  const client = new pg.Client({ connectionString: cluster.url, application_name: 'bench' });
  await client.connect();
  await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA public');
  let notifications = 0;
  client.on('notification', () => {
    notifications += 1;
  });
  await client.query('LISTEN retouch_events');

  return {
    async read(): Promise<Counters> {
      await new Promise((resolve) => setTimeout(resolve, FLUSH_MS));
      const { rows } = await client.query<Record<string, string>>(`
        SELECT
          (SELECT sum(calls) FROM public.pg_stat_statements) AS statements,
          xact_commit AS transactions, tup_inserted AS inserted, tup_updated AS updated,
          tup_deleted AS deleted, pg_database_size(datname) AS "databaseBytes",
          pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS "walBytes",
          (SELECT count(*) FROM pg_stat_activity
           WHERE backend_type = 'client backend' AND application_name <> 'bench') AS connections
        FROM pg_stat_database WHERE datname = current_database()`);
      const [row = {}] = rows;
      const numbers = Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, Number(value)]),
      );
      return { ...numbers, notifications, postgresCpuMs: await cpuOfServer() } as Counters;
    },
    close: () => client.end(),
  };

  async function cpuOfServer(): Promise<number> {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const { stdout } = await run('ps', ['-o', 'ppid=', '-p', String(rows[0]?.pid)]);
    const parent = stdout.trim();
    const children = (await run('pgrep', ['-P', parent])).stdout.trim().split('\n');
    const times = await Promise.all([parent, ...children].map((pid) => cpuMsOf(Number(pid))));
    return times.reduce((sum, ms) => sum + ms, await cpuMsOfEnded(Number(parent)));
  }
}
