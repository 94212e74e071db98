import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { vacuumTables } from '../../src/database/vacuum.ts';
import { createLog } from '../../src/log.ts';
import { createTestDatabase } from '../support/database.ts';

const log = createLog({ level: 'silent' });
const ROWS = 2_000;
const PER_TURN = 500;
/** Ten times all rows. */
const TURNS = 40;
/** Of two turns. */
const MAX_DEAD_ROWS = 1_000;

async function openTable() {
  const { dir, drop } = await createTestDatabase();
  onTestFinished(drop);
  const pglite = await PGlite.create({ dataDir: join(dir, 'postgres') });
  onTestFinished(() => pglite.close());
  await pglite.exec('CREATE TABLE "some rows" (id serial, value text STORAGE EXTERNAL)');
  const vacuums: string[] = [];
  const exec = pglite.exec.bind(pglite);
  pglite.exec = async (query, options) => {
    const results = await exec(query, options);
    if (query.startsWith('VACUUM')) vacuums.push(query);
    return results;
  };
  const answer = async (value: string) => {
    const { rows } = await pglite.query<{ value: number }>(`SELECT (${value})::float AS value`);
    return rows[0]?.value ?? Number.NaN;
  };
  let looks = 0;
  const query = pglite.query.bind(pglite);
  pglite.query = (text, ...rest) => {
    if (text.includes('relpersistence')) looks += 1;
    return query(text, ...rest);
  };
  return {
    vacuums: () => vacuums.filter((query) => query === 'VACUUM public."some rows"').length,
    start() {
      const { stop } = vacuumTables({ pglite, log, lookMs: 5 });
      onTestFinished(stop);
    },
    looks: () => looks,
    /** Adds as many rows as it deletes. */
    async turn(length: number) {
      await pglite.query(
        `INSERT INTO "some rows" (value) SELECT repeat('x', $1) FROM generate_series(1, ${PER_TURN})`,
        [length],
      );
      await exec(`DELETE FROM "some rows" WHERE id <= (SELECT max(id) - ${ROWS} FROM "some rows")`);
      // Dead rows are counted once a second otherwise.
      await pglite.query('SELECT pg_stat_force_next_flush()');
    },
    bytes: () => answer(`pg_total_relation_size('"some rows"')`),
    deadRows: () => answer(`pg_stat_get_dead_tuples('"some rows"'::regclass)`),
  };
}

describe.runIf(inject('databaseKind') === 'pglite')('the embedded database', () => {
  test('uses the space of deleted rows again, and does not grow when as many come as go', async () => {
    const table = await openTable();
    for (let i = 0; i < ROWS / PER_TURN; i += 1) await table.turn(400);
    const once = await table.bytes();
    table.start();
    for (let i = 0; i < TURNS; i += 1) {
      await table.turn(400);
      await expect.poll(table.deadRows).toBeLessThanOrEqual(MAX_DEAD_ROWS);
    }
    expect(await table.bytes()).toBeLessThan(3 * once);
  });

  test('vacuums a table whose long values have grown, and not again until it grows', async () => {
    const table = await openTable();
    await table.turn(3_000);
    table.start();
    await expect.poll(table.vacuums).toBe(1);
    const before = table.looks();
    await expect.poll(table.looks).toBeGreaterThan(before + 2);
    expect(table.vacuums()).toBe(1);
    await table.turn(3_000);
    await table.turn(3_000);
    await expect.poll(table.vacuums).toBe(2);
  });
});
