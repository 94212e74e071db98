/**
 * The names that belong to this installation in a database that others may share, including another
 * Retouch.
 */
export interface DatabaseNames {
  /** Schema of our tables. */
  readonly schema: string;
  /** Schema of the queue's tables. */
  readonly queueSchema: string;
  /** Channel of NOTIFY. */
  readonly channel: string;
}

/** Queue and channel are named after the schema: `retouch_…` for `public`, else `<schema>_…`. */
export function databaseNames(schema: string): DatabaseNames {
  const prefix = schema === 'public' ? 'retouch' : schema;
  return { schema, queueSchema: `${prefix}_queue`, channel: `${prefix}_events` };
}
