import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EMPTY_DATABASE, initializeDatabase } from '../database/new-database.ts';
import { ENVIRONMENT, NODE_FLAGS } from './node-options.ts';

const SOURCES = new URL('../', import.meta.url);

/** What main.ts loads only when it is needed. */
const LOADED_LATER = [
  'auth/tokens/verify-token.ts',
  'database/pglite.ts',
  'database/postgres.ts',
  'database/start/check-postgres.ts',
  'images/thumbnails/shrink.ts',
  'net/proxied-dispatcher.ts',
  'sandbox/drawing-studio.ts',
  'schema/federation.ts',
];

/**
 * `npm run build:start`: does once what each start or each first start would do, and leaves it in
 * build/: an empty database, and the compiled code of the service. `npm ci` runs it, and the
 * Dockerfile.
 */
const fresh = `${EMPTY_DATABASE}.new`;
await rm(fresh, { recursive: true, force: true });
await initializeDatabase(fresh);
// Whoever installs the service is often root, and whoever runs it is not.
for (const entry of await readdir(fresh, { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) await chmod(join(entry.parentPath, entry.name), 0o644);
}
await rm(EMPTY_DATABASE, { recursive: true, force: true });
await rename(fresh, EMPTY_DATABASE);

if (process.platform !== 'win32' && process.execve) {
  // V8 uses what it has compiled only under the same flags.
  const flags = [...NODE_FLAGS, '--disable-warning=ExperimentalWarning'];
  const imports = LOADED_LATER.map((path) => `--import=${new URL(path, SOURCES).href}`);
  const main = fileURLToPath(new URL('main.ts', SOURCES));
  const args = [process.execPath, ...flags, ...imports, main, '--load-only'];
  process.execve(process.execPath, args, { ...ENVIRONMENT });
}
