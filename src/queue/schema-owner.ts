import { type Database, Prisma } from '../database/database.ts';
import { StartError } from '../errors.ts';

/**
 * Prefix of the schema name in the comment on pg-boss's table `version`, which records the queue's
 * owner.
 */
const PREFIX = 'The queue of Retouch in schema ';

/**
 * The queues of two schemas may have the same name: `retouch_queue` belongs to `public` or to
 * `retouch`.
 * @throws StartError if the queue belongs to another installation, or its schema to another
 *   application.
 */
export async function refuseForeignQueue({ prisma, names }: Database): Promise<void> {
  const { schema, queueSchema } = names;
  const tables = await prisma.$queryRaw<{ name: string; comment: string | null }[]>`
    SELECT relname::text AS name, obj_description(oid, 'pg_class') AS comment
    FROM pg_class WHERE relkind IN ('r', 'p')
      AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ${queueSchema})`;
  if (tables.length === 0) return;
  const version = tables.find(({ name }) => name === 'version');
  const owner = version?.comment?.startsWith(PREFIX) ? version.comment.slice(PREFIX.length) : null;
  if (version !== undefined && (owner === null || owner === schema)) return;
  const whose = owner === null ? 'another application' : `the Retouch in schema "${owner}"`;
  throw new StartError(
    `the schema "${queueSchema}" of DATABASE_URL, which the queue would use, belongs to ${whose}: use another schema with ?schema=.`,
    { isTemporary: false },
  );
}

/** Records the owner of the queue once; one process at a time, because comments fail in a race. */
export async function nameOwner({ prisma, names }: Database): Promise<void> {
  const { schema, queueSchema } = names;
  const table = `"${queueSchema}".version`;
  await prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`queue ${queueSchema}`}, 0))`;
    const [found] = await tx.$queryRaw<{ comment: string | null }[]>`
      SELECT obj_description(${table}::regclass, 'pg_class') AS comment`;
    if (found?.comment) return;
    await tx.$executeRaw`
      COMMENT ON TABLE ${Prisma.raw(table)} IS ${Prisma.raw(`'${PREFIX}${schema}'`)}`;
  });
}
