import type { Database } from '../../../src/database/database.ts';

export interface TableSize {
  /** Without its schema. */
  readonly name: string;
  readonly rows: number;
  /** With its indexes. */
  readonly bytes: number;
  /** Of the same rows, written anew. */
  readonly compactBytes: number;
}

/**
 * Tables that do not grow with the number of edits, and how many rows they may have after a load of
 * one owner and one webhook on one upstream.
 */
const FLAT: Readonly<Record<string, number>> = {
  ApiKey: 0,
  AuditEvent: 0,
  IdempotencyKey: 0,
  Limit: 0,
  LimitReservation: 0,
  Owner: 1,
  Process: 0,
  RaisedBound: 0,
  UpstreamModels: 1,
  UpstreamPause: 1,
  WebhookEndpoint: 1,
  queue: 20,
  schedule: 0,
  subscription: 0,
};
/** With its indexes, however often its rows were changed. */
const MAX_FLAT_BYTES = 250_000;

/** Tables with a row for each edit at most. Deleting an edit keeps its row, attempts and usage. */
const PER_EDIT = [
  'Charge',
  'EditJob',
  'EditResponse',
  'Prompt',
  'PromptSearch',
  'TokenUsage',
  'WebhookDelivery',
];
/**
 * Of the queue, for each edit: to run it, to tell of it, a thumbnail for each of its images, and to
 * delete it. They stay for an hour after they have ended.
 */
const MAX_QUEUE_JOBS_PER_EDIT = 12;
/** Attempts whose connection failed. */
const MAX_UNSENT = 5;
/** What a table may take besides its rows as written anew: rows that were changed or deleted. */
const MAX_BLOAT = { factor: 2, bytes: 500_000 };

/** What is not as it must be, as text. @param edits That were submitted. */
export function tableFaults(
  tables: readonly TableSize[],
  { edits, posts }: { edits: number; posts: number },
): string[] {
  const atMost: Readonly<Record<string, number>> = {
    ...FLAT,
    ...Object.fromEntries(PER_EDIT.map((name) => [name, edits])),
    // An attempt is stored before it is sent.
    EditAttempt: posts + MAX_UNSENT,
    job_common: edits * MAX_QUEUE_JOBS_PER_EDIT,
  };
  return tables.flatMap(({ name, rows, bytes, compactBytes }) => {
    const maxRows = atMost[name] ?? Number.POSITIVE_INFINITY;
    const maxBytes =
      name in FLAT ? MAX_FLAT_BYTES : compactBytes * MAX_BLOAT.factor + MAX_BLOAT.bytes;
    return [
      ...(rows > maxRows ? [`${name} has ${rows} rows, at most ${maxRows} are explained`] : []),
      ...(bytes > maxBytes ? [`${name} takes ${bytes} bytes, at most ${maxBytes} are`] : []),
    ];
  });
}

/** All tables of the service and its queue. Rewrites them. */
export async function measureTables({ prisma }: Database): Promise<TableSize[]> {
  const sizes = () => prisma.$queryRaw<{ table: string; name: string; bytes: number }[]>`
    SELECT format('%I.%I', schemaname, tablename) AS table, tablename::text AS name,
      pg_total_relation_size(format('%I.%I', schemaname, tablename)::regclass)::float AS bytes
    FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'postgres')
    ORDER BY 1`;
  const before = await sizes();
  await prisma.$executeRawUnsafe('VACUUM FULL');
  const after = new Map((await sizes()).map(({ table, bytes }) => [table, bytes]));
  const tables: TableSize[] = [];
  for (const { table, name, bytes } of before) {
    const [row] = await prisma.$queryRawUnsafe<{ rows: number }[]>(
      `SELECT count(*)::int AS rows FROM ${table}`,
    );
    tables.push({ name, rows: row?.rows ?? 0, bytes, compactBytes: after.get(table) ?? 0 });
  }
  return tables;
}

export function showTables(tables: readonly TableSize[]): string {
  const kb = (bytes: number) => `${(bytes / 1_000).toFixed(0)} kB`.padStart(11);
  return tables
    .filter(({ rows, bytes }) => rows > 0 || bytes > 100_000)
    .map(
      ({ name, rows, bytes, compactBytes }) =>
        `${name.padEnd(26)}${`${rows}`.padStart(8)} rows ${kb(bytes)}, written anew ${kb(compactBytes)}`,
    )
    .join('\n');
}
