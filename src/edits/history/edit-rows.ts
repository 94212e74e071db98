import { COLUMNS } from '../../database/columns.ts';
import { Prisma } from '../../database/database.ts';

/** What to select of a row, as Prisma takes it. */
export interface Selection {
  readonly [field: string]: unknown;
}

/** Reads selected edits within another statement, instead of by statements of Prisma. */
export interface EditRows {
  /** An expression on a row `job` of "EditJob". */
  readonly sql: Prisma.Sql;
  /** The edit as Prisma returns it, from the text of that expression. */
  parse(text: string): { readonly id: string };
}

/**
 * Null for a selection that has more than columns and the relations below. Names come from the data
 * model, never from a client, and a related row has the owner of the edit.
 */
export function selectEdits(selection: Selection): EditRows | null {
  const compiled = compileRow('EditJob', 'job', { ...selection, id: true });
  if (compiled === null) return null;
  const { sql, parse } = compiled;
  return {
    sql: Prisma.raw(sql),
    parse: (text) => parse(JSON.parse(text) as never) as { readonly id: string },
  };
}

/** A row that has everything that its selection names, and so have the related rows in it. */
export class SelectedRow {
  [field: string]: unknown;
}

interface Relation {
  readonly model: string;
  /** The column of either table, which are equal besides the owner. */
  readonly own: string;
  readonly other: string;
  readonly isList: boolean;
}

const RELATIONS: Readonly<Record<string, Readonly<Record<string, Relation>>>> = {
  EditJob: {
    prompt: { model: 'Prompt', own: 'promptId', other: 'id', isList: false },
    usage: { model: 'TokenUsage', own: 'id', other: 'jobId', isList: false },
    images: { model: 'EditJobImage', own: 'id', other: 'jobId', isList: true },
    charges: { model: 'Charge', own: 'id', other: 'jobId', isList: true },
    attempts: { model: 'EditAttempt', own: 'id', other: 'jobId', isList: true },
  },
  EditJobImage: { image: { model: 'Image', own: 'imageId', other: 'id', isList: false } },
};

/** A JSON value in SQL, and how what is not null of it is read. */
interface Compiled {
  readonly sql: string;
  readonly parse: (value: never) => unknown;
}

/** An array of the selected values: their names would be repeated in each row. */
function compileRow(model: string, row: string, selection: Selection): Compiled | null {
  const fields: [string, Compiled][] = [];
  for (const [field, asked] of Object.entries(selection)) {
    if (asked === false || asked === undefined) continue;
    const relation = RELATIONS[model]?.[field];
    const compiled = relation
      ? compileRelation(relation, row, `${row}_${field}`, asked)
      : asked === true && compileColumn(model, row, field);
    if (!compiled) return null;
    fields.push([field, compiled]);
  }
  return {
    sql: `json_build_array(${fields.map(([, { sql }]) => sql).join(', ')})`,
    parse(values: readonly never[]) {
      const parsed = new SelectedRow();
      for (const [at, [field, { parse }]] of fields.entries()) {
        const value = values[at];
        parsed[field] = value === null || value === undefined ? null : parse(value);
      }
      return parsed;
    },
  };
}

function compileRelation(
  { model, own, other, isList }: Relation,
  row: string,
  related: string,
  asked: unknown,
): Compiled | null {
  const { select = null, orderBy = {}, ...rest } = asked === true ? {} : (asked as Nested);
  if (Object.keys(rest).length > 0) return null;
  const inner = compileRow(model, related, select ?? allColumns(model));
  const order = orderOf(model, related, orderBy);
  if (inner === null || order === null) return null;
  const from = `FROM "${model}" AS "${related}"
    WHERE "${related}"."ownerId" = "${row}"."ownerId" AND "${related}"."${other}" = "${row}"."${own}"`;
  if (!isList) return { sql: `(SELECT ${inner.sql} ${from})`, parse: inner.parse };
  return {
    sql: `(SELECT coalesce(json_agg(${inner.sql} ${order}), '[]') ${from})`,
    parse: (values: readonly never[]) => values.map(inner.parse),
  };
}

interface Nested {
  readonly select?: Selection | null;
  readonly orderBy?: Readonly<Record<string, unknown>>;
}

function allColumns(model: string): Selection {
  return Object.fromEntries([...(COLUMNS.get(model)?.keys() ?? [])].map((name) => [name, true]));
}

/** By one column. */
function orderOf(model: string, row: string, orderBy: Nested['orderBy'] = {}): string | null {
  const [[column, direction] = [], ...more] = Object.entries(orderBy);
  if (column === undefined) return '';
  const isKnown = COLUMNS.get(model)?.has(column) && (direction === 'asc' || direction === 'desc');
  return isKnown && more.length === 0 ? `ORDER BY "${row}"."${column}" ${direction}` : null;
}

function compileColumn(model: string, row: string, name: string): Compiled | null {
  const column = `"${row}"."${name}"`;
  switch (COLUMNS.get(model)?.get(name)) {
    case undefined:
      return null;
    case 'DateTime':
      return { sql: column, parse: (text: string) => new Date(text) };
    case 'BigInt':
      return { sql: `${column}::text`, parse: (text: string) => BigInt(text) };
    case 'Bytes':
      return {
        sql: `encode(${column}, 'base64')`,
        parse: (text: string) => new Uint8Array(Buffer.from(text, 'base64')),
      };
    default:
      return { sql: column, parse: (value: unknown) => value };
  }
}
