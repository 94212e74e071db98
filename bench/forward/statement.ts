import { json } from 'node:stream/consumers';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { serveParent } from './probe.ts';

/**
 * A database behind nothing but its driver: runs the statement of each request, and responds with
 * the time that it took and the number of rows. Arguments: `pglite` and a directory, or `postgres`
 * and a URL.
 */
const [kind, place = ''] = process.argv.slice(2);

interface Run {
  readonly sql: string;
  readonly values: readonly unknown[];
}

async function open() {
  if (kind === 'pglite') {
    const pglite = await PGlite.create(place);
    return {
      run: ({ sql, values }: Run) => pglite.query(sql, [...values]),
      close: () => pglite.close(),
    };
  }
  const client = new pg.Client({ connectionString: place });
  await client.connect();
  return {
    run: ({ sql, values }: Run) => client.query(sql, [...values]),
    close: () => client.end(),
  };
}

const database = await open();
await serveParent(
  async (req, res) => {
    const asked = (await json(req)) as Run;
    const startedMs = performance.now();
    const { rows } = await database.run(asked);
    res.end(JSON.stringify({ ms: performance.now() - startedMs, rows: rows.length }));
  },
  async () => void (await database.close()),
);
