/**
 * `npm run schema`: writes schema.graphql, sorted. With `--check` it writes nothing and fails when
 * the file is stale.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../src/schema/index.ts';

const path = join(import.meta.dirname, '../schema.graphql');
const printed = `${printSchema(lexicographicSortSchema(schema))}\n`;
if (process.argv.includes('--check')) {
  if ((await readFile(path, 'utf8')) !== printed) {
    process.stderr.write(
      'schema.graphql is stale: run `npm run schema` and read the difference.\n',
    );
    process.exitCode = 1;
  }
} else {
  await writeFile(path, printed);
}
