/** A Postgres database, and the schema of this installation in it. */
export interface DatabaseUrl {
  /** Without the parameter `schema`. */
  readonly url: string;
  /** From `?schema=`, as in Prisma. @default public */
  readonly schema: string;
}

/** The queue's schema name derives from ours, and pg-boss accepts at most 50 bytes. */
const MAX_SCHEMA_BYTES = 44;

/** pg-boss inserts the name into statements and function bodies unescaped. */
const UNUSABLE = /["'%$.\\\p{Cc}]/u;

/** @throws Error that names the problem but never the URL, which may contain a password. */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  if (/\s/.test(text)) throw new Error('must not contain white space');
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new Error('must be a postgres:// URL');
  }
  const schema = url.searchParams.get('schema') || 'public';
  url.searchParams.delete('schema');
  if (Buffer.byteLength(schema) > MAX_SCHEMA_BYTES || UNUSABLE.test(schema)) {
    throw new Error(
      `its schema must have at most ${MAX_SCHEMA_BYTES} bytes, without quotes, periods, backslashes, percent and dollar signs`,
    );
  }
  if (/^pg_|^information_schema$/.test(schema)) {
    throw new Error(`its schema ${schema} belongs to Postgres: choose another name`);
  }
  return { url: url.href, schema };
}
