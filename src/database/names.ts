/** What is ours in a database that others may use too, another Retouch included. */
export interface DatabaseNames {
  /** Of our tables. */
  readonly schema: string;
  /** Of the queue's tables. */
  readonly queueSchema: string;
  /** Of NOTIFY. */
  readonly channel: string;
}

/** The queue and the channel are named after the schema: `retouch_…` for `public`, else `<schema>_…`. */
export function databaseNames(schema: string): DatabaseNames {
  const prefix = schema === 'public' ? 'retouch' : schema;
  return { schema, queueSchema: `${prefix}_queue`, channel: `${prefix}_events` };
}
