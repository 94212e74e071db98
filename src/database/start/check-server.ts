import type pg from 'pg';
import { StartError } from '../../errors.ts';
import type { DatabaseNames } from '../names.ts';
import { inspect, type UrlSetting } from './connect.ts';

const MIN_VERSION = 14;

interface Server {
  readonly version: number;
  readonly encoding: string;
  readonly isReadOnly: boolean;
  readonly role: string;
  readonly database: string;
  /** Whether the role may create schemas in it. */
  readonly canCreate: boolean;
}

interface Schema {
  readonly name: string;
  readonly exists: boolean;
  readonly canUse: boolean;
  /** Whether the role may create tables in it. */
  readonly canCreate: boolean;
  readonly isInstalled: boolean;
}

/** Checks that this database can hold our tables. @throws StartError */
export async function checkServer(
  client: pg.Client,
  setting: UrlSetting,
  names: DatabaseNames,
): Promise<void> {
  const fail = (message: string, isTemporary = false) => {
    throw new StartError(`${setting}: ${message}`, { isTemporary });
  };
  const server = await readServer(client);
  if (server.version < MIN_VERSION * 10_000) {
    const version = Math.floor(server.version / 10_000);
    fail(`the server is Postgres ${version}; Postgres ${MIN_VERSION} or newer is required.`);
  }
  if (server.encoding !== 'UTF8') {
    fail(
      `the database ${quote(server.database)} has the encoding ${server.encoding}, but UTF8 is required: create one with ENCODING 'UTF8' TEMPLATE template0.`,
    );
  }
  if (server.isReadOnly) {
    fail(
      'the server is read-only: connect to the primary, promote this server, or end its read-only mode.',
      true,
    );
  }
  const schemas = [
    await readSchema(client, names.schema, '_prisma_migrations'),
    await readSchema(client, names.queueSchema, 'version'),
  ];
  const role = quote(server.role);
  const missing = schemas.filter(({ exists }) => !exists);
  if (missing.length > 0 && !server.canCreate) {
    const statements = missing
      .map(({ name }) => `CREATE SCHEMA ${quote(name)} AUTHORIZATION ${role}`)
      .join('; ');
    fail(
      `role ${role} may not create schemas in the database ${quote(server.database)}: have an administrator run ${statements}`,
    );
  }
  const forbidden = schemas.find(
    ({ exists, canUse, canCreate, isInstalled }) =>
      exists && !(canUse && (canCreate || isInstalled)),
  );
  if (forbidden !== undefined) {
    fail(
      `role ${role} may not create tables in the schema ${quote(forbidden.name)}: have an administrator run GRANT USAGE, CREATE ON SCHEMA ${quote(forbidden.name)} TO ${role}, or use another schema with ?schema=.`,
    );
  }
}

async function readServer(client: pg.Client): Promise<Server> {
  const [server] = await inspect<Server>(
    client,
    `
    SELECT current_setting('server_version_num')::int AS version,
      current_setting('server_encoding') AS encoding,
      current_setting('transaction_read_only')::boolean AS "isReadOnly",
      current_user::text AS role, current_database()::text AS database,
      has_database_privilege(current_database(), 'CREATE') AS "canCreate"`,
  );
  if (server === undefined) throw new Error('the server returned no information about itself');
  return server;
}

async function readSchema(client: pg.Client, name: string, table: string): Promise<Schema> {
  const [schema] = await inspect<Schema>(
    client,
    `SELECT nspname AS name, TRUE AS "exists",
       has_schema_privilege(oid, 'USAGE') AS "canUse",
       has_schema_privilege(oid, 'CREATE') AS "canCreate",
       EXISTS (SELECT FROM pg_class WHERE relnamespace = pg_namespace.oid AND relname = $2)
         AS "isInstalled"
     FROM pg_namespace WHERE nspname = $1`,
    [name, table],
  );
  const absent = { name, exists: false, canUse: false, canCreate: false, isInstalled: false };
  return schema ?? absent;
}

const quote = (name: string) => `"${name}"`;
