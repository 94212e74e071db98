import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from './check.ts';
import type { DoctorContext } from './context.ts';
import { DATA_DIR } from './data-dir-checks.ts';
import { fault, type Outcome, ok, warn } from './finding.ts';

/** Ahead or behind, in milliseconds. */
const SKEW_WARN_MS = 5_000;
const SKEW_FAULT_MS = 60_000;

const DATABASE = 'database';
const NOTIFICATIONS = 'notifications';
export const MIGRATIONS = 'migrations';

const URLS = ['DATABASE_URL', 'DATABASE_DIRECT_URL'] as const;
const POOLS = ['DATABASE_POOL_SIZE', 'QUEUE_POOL_SIZE'] as const;

/** Below the limit of a check. */
const REPLICA_TIMEOUT_MS = 8_000;

/** The embedded database may have to recover from a crash. */
const OPEN_TIMEOUT_MS = 120_000;

export const DATABASE_CHECKS: readonly Check[] = [
  {
    name: DATABASE,
    settings: [...URLS, 'DATA_DIR'],
    after: ({ database }) => (database.kind === 'pglite' ? DATA_DIR : null),
    timeoutMs: ({ database }) => (database.kind === 'pglite' ? OPEN_TIMEOUT_MS : null),
    run: checkDatabase,
  },
  { name: 'rights', settings: URLS, after: () => DATABASE, run: checkRights },
  {
    name: 'connections',
    settings: [...URLS, ...POOLS],
    after: () => DATABASE,
    run: checkConnections,
  },
  { name: 'replica', settings: ['DATABASE_REPLICA_URL'], run: checkReplica },
  { name: 'clock', settings: URLS, after: () => DATABASE, run: checkClock },
  { name: NOTIFICATIONS, settings: URLS, after: () => DATABASE, run: checkNotifications },
  // Session parameters of a connection through a transaction pooler would reach other clients.
  { name: MIGRATIONS, settings: URLS, after: () => NOTIFICATIONS, run: checkMigrations },
  { name: 'queue', settings: URLS, after: () => NOTIFICATIONS, run: checkQueue },
];

async function checkDatabase({ config, server, data }: DoctorContext): Promise<Outcome> {
  if (config.database.kind === 'postgres') {
    const { version, role } = await server();
    return ok(`Postgres ${version}, as the role ${role}`);
  }
  const found = await data();
  if (found.kind === 'none') return ok('none in DATA_DIR yet: the first start creates it');
  if (found.kind === 'open') return ok('embedded, in DATA_DIR; no service runs on it');
  const holder = await readFile(join(config.dataDir, 'retouch.holder.json'), 'utf8')
    .then((text) => `process ${JSON.parse(text).pid}`)
    .catch(() => 'another process');
  return ok(`embedded, in DATA_DIR, in use by ${holder}`);
}

async function checkRights({ config, server }: DoctorContext): Promise<Outcome | null> {
  if (config.database.kind !== 'postgres') return null;
  const { setting, role, forbiddenTables } = await server();
  if (forbiddenTables.length === 0) return ok(`the role ${role} may use and create all it needs`);
  const tables = forbiddenTables.join(', ');
  return fault(
    `the role ${role} may not read and write ${tables}`,
    `Have an administrator run GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables} TO "${role}", or set the role that owns them in ${setting}.`,
  );
}

async function checkConnections({ config, server }: DoctorContext): Promise<Outcome | null> {
  if (config.database.kind !== 'postgres') return null;
  const { free, own, needed } = (await server()).connections;
  const running = own === 0 ? '' : `, besides ${own} that are open`;
  const found = `a process opens ${needed}, and ${free} are free${running}`;
  if (free >= needed) return ok(found);
  const fix =
    "Raise the server's max_connections (or the limit of the role or database), or lower DATABASE_POOL_SIZE and QUEUE_POOL_SIZE.";
  // A running process has opened its own.
  return free + own >= needed ? warn(found, fix) : fault(found, fix);
}

async function checkReplica({ config }: DoctorContext): Promise<Outcome | null> {
  if (config.database.kind !== 'postgres' || config.database.replica === null) return null;
  const { isStandby } = await import('../../database/start/inspect-replica.ts');
  if (await isStandby(config.database.replica.url, REPLICA_TIMEOUT_MS)) {
    return ok('a standby, from which the history is read');
  }
  return warn(
    'the server of DATABASE_REPLICA_URL is not a standby, so nothing is read from it',
    'Set DATABASE_REPLICA_URL to a standby of DATABASE_URL, or remove it.',
  );
}

async function checkClock({ config, server }: DoctorContext): Promise<Outcome | null> {
  if (config.database.kind !== 'postgres') return null;
  const { clockAheadMs } = await server();
  const seconds = Math.round(Math.abs(clockAheadMs) / 1_000);
  if (Math.abs(clockAheadMs) <= SKEW_WARN_MS) {
    return ok("the database's clock and this machine's agree");
  }
  const found = `the database's clock is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} this machine's`;
  const fix = 'Synchronize both clocks by NTP: the server of DATABASE_URL, and this machine.';
  return Math.abs(clockAheadMs) > SKEW_FAULT_MS ? fault(found, fix) : warn(found, fix);
}

async function checkNotifications({ config }: DoctorContext): Promise<Outcome | null> {
  const { database } = config;
  if (database.kind !== 'postgres') return null;
  const { checkListen } = await import('../../database/start/check-listen.ts');
  await checkListen(database);
  return ok('a notification arrives at a listening connection');
}

async function checkMigrations({ data }: DoctorContext): Promise<Outcome | null> {
  const found = await data();
  if (found.kind === 'none') return null;
  if (found.kind === 'service') return ok('applied when the running service started');
  const { findMissingMigrations, readMigrations } = await import('../../database/migrations.ts');
  const [missing, all] = await Promise.all([
    findMissingMigrations(found.database),
    readMigrations(),
  ]);
  if (missing.length === 0) return ok(`all ${all.length} are applied`);
  if (missing.length === all.length) return ok('none is applied yet: the first start applies all');
  return warn(
    `${missing.length} of ${all.length} are missing (${missing.join(', ')}): the next start applies them`,
    'Back up the database of DATABASE_URL or DATA_DIR, then start this release.',
  );
}

async function checkQueue({ data }: DoctorContext): Promise<Outcome | null> {
  const found = await data();
  if (found.kind !== 'open') return null;
  const { inspectQueue } = await import('../../queue/inspect-queue.ts');
  const { schema, installed, expected } = await inspectQueue(found.database);
  if (installed === null) return ok(`none in the schema "${schema}" yet: a start creates it`);
  if (installed === expected) return ok(`installed in the schema "${schema}"`);
  if (installed < expected) {
    return warn(
      `the schema "${schema}" has version ${installed}: the next start migrates it to ${expected}`,
      'Back up the database of DATABASE_URL or DATA_DIR, then start this release.',
    );
  }
  return fault(
    `the schema "${schema}" has version ${installed}, of a newer release; this one has ${expected}`,
    'Run the newer release, or restore a backup of the database of DATABASE_URL or DATA_DIR.',
  );
}
