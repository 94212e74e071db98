import { PGlite } from '@electric-sql/pglite';

/**
 * The floor of a start: PGlite by itself, in the directory that its argument names, with Node's
 * default flags. Plain JavaScript, so that it does not pay for removing types.
 */
const pglite = await PGlite.create({ dataDir: process.argv[2] });
await pglite.query('SELECT 1');
// Nothing else keeps the process until it was measured.
const staying = setInterval(() => {}, 60_000);
process.on('SIGTERM', async () => {
  clearInterval(staying);
  await pglite.close();
  process.exit();
});
process.stdout.write('ready\n');
