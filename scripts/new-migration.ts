/**
 * `npm run migration -- <name>`: writes prisma/migrations/<time>_<name>/migration.sql, the step from
 * the migrations there are to prisma/schema.prisma, worked out on an in-memory Postgres. With
 * `--check` it writes nothing and fails when there is such a step.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { SchemaEngine } from '@prisma/schema-engine-wasm';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { migrationList } from './migration-list.ts';

const EMPTY = '-- This is an empty migration.';
const [name] = process.argv.slice(2);
const isCheck = name === '--check';
if (!name || !(isCheck || /^[a-z][a-z0-9_]*$/.test(name))) {
  process.stderr.write('usage: npm run migration -- <name_in_snake_case> | --check\n');
  process.exit(2);
}

const root = join(import.meta.dirname, '..');
const path = join(root, 'prisma/schema.prisma');
const pglite = await PGlite.create();
const files = [{ path, content: await readFile(path, 'utf8') }];
const engine = await SchemaEngine.new(
  { datamodels: files.map((file): [string, string] => [file.path, file.content]) },
  () => {},
  bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(pglite)),
);
const { stdout } = await engine.diff({
  from: { tag: 'migrations', ...(await migrationList()) },
  to: { tag: 'schemaDatamodel', files },
  script: true,
  exitCode: null,
  filters: { externalTables: [], externalEnums: [] },
});
await pglite.close();

const sql = stdout?.trim() ?? '';
if (sql === '' || sql.startsWith(EMPTY)) {
  process.stdout.write('The migrations already lead to prisma/schema.prisma.\n');
} else if (isCheck) {
  process.stderr.write(
    `The migrations do not lead to prisma/schema.prisma: run \`npm run migration -- <name>\`. It would be:\n${sql}\n`,
  );
  process.exitCode = 1;
} else {
  const time = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const dir = join(root, 'prisma/migrations', `${time}_${name}`);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'migration.sql'), `${sql}\n`);
  process.stdout.write(`${dir}/migration.sql written. Read it before you commit it.\n`);
}
// The engine leaves a timer behind, which would hold this process for ten seconds more.
process.exit();
