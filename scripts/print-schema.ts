/**
 * `npm run schema`: writes schema.graphql, sorted, and schema.subgraph.graphql, as a gateway gets it.
 * With `--check` it writes nothing and fails when one is stale. With `--subgraph` it prints the
 * subgraph, with the prefix of SUBGRAPH_TYPE_PREFIX, and writes nothing.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { graphqlSync } from 'graphql';
import { loadSubgraph, schema } from '../src/schema/index.ts';
import { printSorted } from '../src/schema/print-schema.ts';

// The committed file has no prefix.
const prefix = process.argv.includes('--subgraph') ? process.env['SUBGRAPH_TYPE_PREFIX'] : '';
const asked = graphqlSync({ schema: await loadSubgraph(prefix), source: '{ _service { sdl } }' });
const service = asked.data?.['_service'] as { sdl: string };
const printed = {
  'schema.graphql': printSorted(schema),
  'schema.subgraph.graphql': `${service.sdl}\n`,
};

if (process.argv.includes('--subgraph')) {
  process.stdout.write(printed['schema.subgraph.graphql']);
} else {
  for (const [name, text] of Object.entries(printed)) {
    const path = join(import.meta.dirname, '..', name);
    if (!process.argv.includes('--check')) {
      await writeFile(path, text);
    } else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
      process.stderr.write(`${name} is stale: run \`npm run schema\` and read the difference.\n`);
      process.exitCode = 1;
    }
  }
}
