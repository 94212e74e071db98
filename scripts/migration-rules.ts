import { concurrentIndex, type Migration } from '../src/database/apply-migrations.ts';
import { oldestCompatible } from '../src/database/compatibility.ts';

/** The rules hold for later migrations: processes of several releases may run at once since then. */
const LAST_WITHOUT_RULES = '20261130000000';

/** What a release that runs meanwhile, or after a rollback, would fail on. */
const CONTRACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\bDROP (TABLE|TYPE|DOMAIN|VIEW|FUNCTION|TRIGGER)\b/i, 'drops what older releases may use'],
  [/\bDROP COLUMN\b/i, 'drops a column'],
  [/\bDROP DEFAULT\b/i, 'drops a default'],
  [/\bRENAME\b/i, 'renames something'],
  [/\bALTER COLUMN "?\w+"? (SET DATA )?TYPE\b/i, 'changes the type of a column'],
  [/\bSET NOT NULL\b/i, 'makes a column NOT NULL'],
];

/** `ADD COLUMN`, up to the next action of its statement. */
const NEW_COLUMN = /\bADD COLUMN\b(?:[^,;()]|\([^)]*\))*/gi;
const NEW_TABLE = /\bCREATE TABLE (?:IF NOT EXISTS )?"?(\w+)"?/gi;
const NEW_INDEX = /\bCREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY\b).*?\bON "?(\w+)"?/gis;
const NEW_CONSTRAINT = /\bALTER TABLE (?:ONLY )?"?(\w+)"?\s+ADD CONSTRAINT\b[^;]*/gi;

/**
 * What is wrong with the migrations, one sentence each, by the rules of CONTRIBUTING.md.
 * @param migrations All of them, in their order.
 * @param releases The newest migration of each release.
 */
export function* migrationProblems(
  migrations: readonly Pick<Migration, 'name' | 'sql'>[],
  releases: readonly string[],
): Generator<string> {
  const tables = new Set<string>();
  for (const { name, sql: text } of migrations) {
    const sql = text.replaceAll(/--.*$/gm, '');
    const created = [...sql.matchAll(NEW_TABLE)].map(([, table = '']) => table);
    if (name > LAST_WITHOUT_RULES) {
      for (const problem of locks(sql, tables)) yield `${name} ${problem}`;
      for (const problem of contracts(text, sql, releases)) yield `${name} ${problem}`;
    }
    for (const table of created) tables.add(table);
  }
}

/** What keeps others from a table for as long as it takes to read it. */
function* locks(sql: string, tables: ReadonlySet<string>): Generator<string> {
  for (const [, table = ''] of sql.matchAll(NEW_INDEX)) {
    if (!tables.has(table)) continue;
    yield `blocks writes to ${table} while it builds an index: use CREATE INDEX CONCURRENTLY in a migration of its own.`;
  }
  if (/\bCONCURRENTLY\b/i.test(sql) && concurrentIndex(sql) === null) {
    yield 'has more than CREATE INDEX CONCURRENTLY "name" ON …, which cannot be in a transaction: put that into a migration of its own.';
  }
  for (const [constraint, table = ''] of sql.matchAll(NEW_CONSTRAINT)) {
    if (!tables.has(table) || /\bNOT VALID\b|\bUSING INDEX\b/i.test(constraint)) continue;
    yield `reads all of ${table} to check a new constraint: add it NOT VALID, or USING INDEX, and validate it in a later migration.`;
  }
}

function* contracts(text: string, sql: string, releases: readonly string[]): Generator<string> {
  const found = CONTRACTIONS.filter(([pattern]) => pattern.test(sql)).map(([, what]) => what);
  const isRequired = [...sql.matchAll(NEW_COLUMN)].some(
    ([column]) => /\bNOT NULL\b/i.test(column) && !/\bDEFAULT\b/i.test(column),
  );
  if (isRequired) found.push('adds a column that is NOT NULL without a default');
  if (found.length === 0) return;
  const oldest = oldestCompatible(text);
  if (oldest === null) {
    yield `${found.join(', ')}: do so one release after the code has stopped using it, and name that release’s newest migration in a line "-- oldest compatible migration: …".`;
  } else if (!releases.includes(oldest)) {
    yield `is compatible with ${oldest}, which is not the newest migration of a release in test/fixtures/releases.`;
  }
}
