import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/database/database.ts';
import { migrate } from '../../src/database/migrations.ts';
import { openPostgres } from '../../src/database/postgres.ts';
import { checkListen } from '../../src/database/start/check-listen.ts';
import { checkPostgres } from '../../src/database/start/check-postgres.ts';
import { toStartError } from '../../src/database/start/start-error.ts';
import { StartError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { createEvents } from '../../src/queue/events.ts';
import { createQueue } from '../../src/queue/queue.ts';
import { hasDatabase } from '../support/database.ts';
import { onServer } from '../support/hostile-role.ts';

const log = createLog({ level: 'silent' });

/** Of this file's own: others run beside it. */
const ROLE = `guest_${process.pid}`;
const DATABASE = `retouch_start_${process.pid}`;

describe.runIf(hasDatabase && inject('databaseKind') === 'postgres')(
  'a start',
  { timeout: 120_000 },
  () => {
    const server = new URL(inject('postgresUrl') ?? 'postgres://nowhere');
    const at = (database = DATABASE) => {
      const url = new URL(server);
      url.pathname = `/${database}`;
      return url;
    };
    const guest = (database = DATABASE) => {
      const url = at(database);
      [url.username, url.password] = [ROLE, 'guest'];
      return url.href;
    };
    const sql = (...statements: string[]) => onServer(at().href, ...statements);
    const optionsOf = (url: string) => {
      const { database } = loadConfig({ DATABASE_URL: url });
      if (database.kind !== 'postgres') throw new Error('no server');
      return database;
    };

    beforeAll(async () => {
      await onServer(
        server.href,
        `CREATE ROLE ${ROLE} LOGIN PASSWORD 'guest'`,
        `CREATE DATABASE ${DATABASE} TEMPLATE template0 ENCODING 'UTF8'`,
      );
      await sql('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    });
    afterAll(async () => {
      await onServer(
        server.href,
        `DROP DATABASE IF EXISTS ${DATABASE}_latin1`,
        `DROP DATABASE ${DATABASE} WITH (FORCE)`,
        `DROP ROLE ${ROLE}`,
      );
    });

    test('makes everything once when several begin at once on an empty database', async () => {
      await Promise.all([1, 2, 3, 4].map(() => start(`${at().href}?schema=crowd`)));
      await sql('TABLE crowd."EditJob"', 'TABLE crowd_queue.job');
    });

    test('waits for others that notify, for longer than the role may wait for a lock', async () => {
      // Only one transaction at a time commits a notification, and each of these waits for the disk.
      const others = await Promise.all(
        Array.from({ length: 16 }, async () => {
          const other = new pg.Client({ connectionString: at().href });
          await other.connect();
          return other;
        }),
      );
      const checked = new AbortController();
      const notifying = others.map(async (other) => {
        while (!checked.signal.aborted) await other.query(`SELECT pg_notify('busy', 'x')`);
      });
      const impatient = at();
      impatient.searchParams.set('options', '-c lock_timeout=1');
      try {
        for (let i = 0; i < 30; i += 1) {
          await checkListen({ url: impatient.href, directUrl: null });
        }
      } finally {
        checked.abort();
        await Promise.all(notifying);
        await Promise.all(others.map((other) => other.end()));
      }
    });

    /** Everything that a start does to a database. */
    async function start(url: string): Promise<void> {
      const options = optionsOf(url);
      await checkPostgres(options);
      const database: Database = openPostgres({ ...options, log });
      try {
        await migrate({ database, log });
        const queue = createQueue({ database, events: createEvents({ database, log }), log });
        await queue.start([]).finally(() => queue.stop({ graceMs: 0 }));
      } catch (error) {
        throw toStartError(error, 'DATABASE_URL');
      } finally {
        await database.close();
      }
    }

    async function refusal(url: string, isTemporary = false): Promise<string> {
      const error = await start(url).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StartError);
      const { message } = error as StartError;
      expect(error).toMatchObject({ isTemporary });
      expect(message).not.toContain('\n');
      expect(message).toMatch(/^Retouch cannot start: /);
      return message;
    }

    test('fails when the server is away, and may be tried again', async () => {
      expect(await refusal('postgres://u:secret@127.0.0.1:1/x', true)).toMatch(
        /DATABASE_URL: .*ECONNREFUSED.*start its server/,
      );
    });

    test('fails when there is no such database or role', async () => {
      expect(await refusal(guest('nowhere'))).toContain('database "nowhere" does not exist');
      const url = at();
      url.username = 'nobody';
      expect(await refusal(url.href)).toContain('role "nobody" does not exist');
    });

    test('fails when the encoding is not UTF-8', async () => {
      await onServer(
        server.href,
        `CREATE DATABASE ${DATABASE}_latin1 TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
      );
      expect(await refusal(at(`${DATABASE}_latin1`).href)).toMatch(
        /encoding LATIN1, but UTF8 is required: create one /,
      );
    });

    test('fails when the database takes no writes, until it does', async () => {
      const set = (value: string) =>
        onServer(
          server.href,
          `ALTER ROLE ${ROLE} IN DATABASE ${DATABASE} SET default_transaction_read_only TO ${value}`,
        );
      await set('on');
      expect(await refusal(guest(), true)).toContain('is read-only');
      await set('off');
    });

    test('fails where the role may create no tables or schemas, and says what to run; that is enough', async () => {
      expect(await refusal(guest())).toContain(
        `CREATE SCHEMA "retouch_queue" AUTHORIZATION "${ROLE}"`,
      );
      await sql(`CREATE SCHEMA retouch_queue AUTHORIZATION ${ROLE}`);
      expect(await refusal(guest())).toMatch(
        /may not create tables in the schema "public": .*GRANT USAGE, CREATE ON SCHEMA "public"/,
      );
      const message = await refusal(`${guest()}?schema=gallery`);
      const [, statements = ''] = /administrator run (.*)$/.exec(message) ?? [];
      expect(statements).toContain('"gallery"');
      expect(statements).toContain('"gallery_queue"');
      await sql(statements);
      await start(`${guest()}?schema=gallery`);
      // Again, on what the first one has made.
      await start(`${guest()}?schema=gallery`);
    });

    test('makes the schema of ?schema= where the role may', async () => {
      await sql(`GRANT CREATE ON DATABASE ${DATABASE} TO ${ROLE}`);
      await start(`${guest()}?schema=Made%20here`);
      await sql(
        'TABLE "Made here"."EditJob"',
        'TABLE "Made here_queue".job',
        `REVOKE CREATE ON DATABASE ${DATABASE} FROM ${ROLE}`,
      );
    });

    test('fails beside another application’s migrations or tables, names them, and leaves them alone', async () => {
      const admin = (schema: string) => `${at().href}?schema=${schema}`;
      await sql(
        'CREATE SCHEMA shop',
        'CREATE TABLE shop._prisma_migrations (id text, checksum text, finished_at timestamptz, migration_name text, logs text, rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int)',
        `INSERT INTO shop._prisma_migrations VALUES ('1', 'x', now(), '20200101_shop', '', null, now(), 1)`,
        'CREATE SCHEMA album',
        'CREATE TABLE album."Image" (id int)',
        'CREATE SCHEMA books',
        'CREATE TABLE books."Budget" (id int)',
      );
      expect(await refusal(admin('shop'))).toMatch(/_prisma_migrations .*20200101_shop.*\?schema=/);
      expect(await refusal(admin('album'))).toMatch(/the table or type "Image" .*\?schema=/);
      expect(await refusal(admin('books'))).toMatch(/the table or type "Budget" .*\?schema=/);
      await sql(
        `DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_class WHERE relkind = 'r'
         AND relnamespace IN ('shop'::regnamespace, 'album'::regnamespace, 'books'::regnamespace)) = 3; END $$`,
      );
    });

    test('works beside another application’s tables with other names, and beside its pg-boss', async () => {
      await sql(
        'CREATE SCHEMA blog',
        'CREATE TABLE blog.post (id int)',
        'CREATE SCHEMA pgboss',
        'CREATE TABLE pgboss.version (version int)',
        'INSERT INTO pgboss.version VALUES (1)',
      );
      await start(`${at().href}?schema=blog`);
      await sql(`DO $$ BEGIN ASSERT (SELECT version FROM pgboss.version) = 1; END $$`);
    });

    test('fails when the queue’s schema is another installation’s or application’s', async () => {
      await start(`${at().href}?schema=twin`);
      await sql('ALTER SCHEMA twin RENAME TO older', 'CREATE SCHEMA twin');
      await sql(`COMMENT ON TABLE twin_queue.version IS 'The queue of Retouch in schema older'`);
      expect(await refusal(`${at().href}?schema=twin`)).toMatch(/"twin_queue" .*schema "older"/);
      await sql('CREATE SCHEMA inn_queue', 'CREATE TABLE inn_queue.guests (id int)');
      expect(await refusal(`${at().href}?schema=inn`)).toMatch(/"inn_queue" .*another application/);
    });

    test('fails when the role may have too few connections, and says what to lower', async () => {
      await onServer(server.href, `ALTER ROLE ${ROLE} CONNECTION LIMIT 3`);
      expect(await refusal(`${guest()}?schema=gallery`, true)).toMatch(
        /too few free connections.*DATABASE_POOL_SIZE and QUEUE_POOL_SIZE/,
      );
      await onServer(server.href, `ALTER ROLE ${ROLE} CONNECTION LIMIT -1`);
    });

    test('fails on a migration that fails, which the next one says as well', async () => {
      // A function of the initial migration is in the way.
      await sql(
        'CREATE SCHEMA half',
        `CREATE FUNCTION half."promptsWith"(text, int[], text, bigint) RETURNS SETOF uuid LANGUAGE sql AS 'SELECT NULL::uuid'`,
      );
      for (const _ of ['now', 'before']) {
        expect(await refusal(`${at().href}?schema=half`)).toMatch(/a database migration failed/);
      }
    });
  },
);
